"""values.csv and pathology.csv beside this file, from the folder that `her2map reproduce --seed 1` wrote.

    her2map reproduce --output DIR --cases 178 --seed 1
    python make_data.py DIR

Case values at full precision, single readings to a thousandth of a millisecond.
"""

import sys
from pathlib import Path

from her2map.biomarkers import MEASURED
from her2map.reproduce.cohort import PATHOLOGY, STUDY
from her2map.study.export import export_tables
from her2map.study.protocol import read_protocol
from her2map.study.readings import read_readings


def main(made: Path) -> None:
    here = Path(__file__).parent
    protocol = read_protocol(made / STUDY)
    wide = export_tables(protocol, read_readings(protocol)).wide.copy()
    readings = [column for column in wide if column.count(".") == 2]
    wide[readings] = wide[readings].round(3)
    wide[["case", *MEASURED, *readings]].to_csv(here / "values.csv", index=False)
    (here / "pathology.csv").write_bytes((made / PATHOLOGY).read_bytes())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
