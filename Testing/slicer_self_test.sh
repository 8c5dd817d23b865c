#!/usr/bin/env bash
# The module's self-test in a real 3D Slicer, without a screen: Testing/slicer_self_test.sh /opt/Slicer-5.12/Slicer
# Needs Xvfb. The library is taken from this folder; packages that Slicer lacks are installed into it.
set -euo pipefail
slicer=${1:?give the path of the Slicer executable}
root=$(cd "$(dirname "$0")/.." && pwd)

run() { xvfb-run --auto-servernum "$slicer" --no-splash --testing --disable-cli-modules "$@"; }

run --python-code "import slicer.util; slicer.util.pip_install('threadpoolctl>=3.1 nibabel>=5.0'); exit(0)"
run --additional-module-paths "$root/HER2MapModule" \
    --python-code "import slicer.testing; slicer.testing.runUnitTest(['$root/HER2MapModule'], 'HER2MapModule'); exit(0)"
