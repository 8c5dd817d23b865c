"""Rigid registration: every echo to the first, and the space of a map to the space of the DCE images.

The images are compared by mutual information, because tissues differ in brightness between echoes and
between sequences (:mod:`.search`). Echoes of one series are then fitted to each other patch by patch, which
is finer (:mod:`.patches`). Whether the motion found is used is decided by a second, held-out estimate of the
information (:mod:`.comparison`). On the digital breast with motion of up to 8 mm and 5 degrees, slices
3.3 mm apart, half of the echoes come to lie within 0.07 mm and 0.09 degrees, the worst within 0.25 mm and
0.3 degrees.
All motion is found in the frame of one image's own voxel axes, so flipped and oblique grids need no care.
"""

from .motion import Motion, RegisteredEchoes
from .register import register_echoes, register_to
from .resampling import resample

__all__ = ["Motion", "RegisteredEchoes", "register_echoes", "register_to", "resample"]
