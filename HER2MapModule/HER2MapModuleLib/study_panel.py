"""The coordinator's panel of a study: making and preparing it; how far it is, and how well readings agree."""

import ctk
import qt
from slicer.i18n import tr as _

from . import cohort_nodes, cohort_work, study_results
from .dependencies import TO_ANALYSE, TO_EXPORT, TO_FIT, TO_REPORT, ensurePackages
from .dialogs import Form
from .panel import Panel, problemsShown
from .tables import fillTable

PRESETS = {_("as in the paper"): "paper", _("as in the guideline"): "guideline"}
"""Which HER2 groups the pathology makes."""
FORMATS = {"CSV": "csv", "CSV, Feather": "feather", "CSV, Parquet": "parquet"}


class StudyPanel(Panel):
    title = _("Study")
    collapsed = True
    uiFile = "StudyPanel.ui"

    def setup(self):
        self.results = study_results.Results()
        ui = self.ui
        ui.folderEdit.connect("currentPathChanged(QString)", self.onFolder)
        clicked = {
            ui.newButton: self.onNew,
            ui.checkButton: self.onCheck,
            ui.prepareButton: self.onPrepare,
            ui.statusButton: self.onStatus,
            ui.verifyButton: self.onVerify,
            ui.agreementButton: self.onAgreement,
            ui.exportButton: self.onExport,
            ui.analyseButton: self.onAnalyse,
            ui.openReportButton: self.onOpenReport,
            ui.copyButton: self.onCopy,
        }
        for button, method in clicked.items():
            button.connect("clicked(bool)", method)
        ui.whichBox.connect("currentIndexChanged(int)", self.showTable)
        self.logic.readings.changed.connect(self.onReadings)
        self.onFolder()

    # Making and preparing

    def onFolder(self, path=""):
        """Another study: what was found of the one before is none of its business."""
        given = bool(self.ui.folderEdit.currentPath)
        for name in ("check", "prepare", "status", "verify", "agreement", "export", "analyse"):
            getattr(self.ui, f"{name}Button").enabled = given
        self.show(study_results.Results())

    def onReadings(self):
        """A reader who signed in finds nothing here of what was told of readings."""
        if self.logic.readings.session is not None and self.results != study_results.Results():
            self.show(study_results.Results())

    def onNew(self, checked=False):
        """Ask for what a study needs, and make it."""
        form = NewStudyForm()
        if form.ask():
            with problemsShown():
                results = study_results.makeStudy(*form.answers())
                self.ui.folderEdit.setCurrentPath(form.answers()[0])
                self.ui.folderEdit.addCurrentPathToHistory()
                self.show(results)
        form.close()

    def onCheck(self, checked=False):
        self._find(_("Checking the study..."), study_results.checking, TO_ANALYSE)

    def onPrepare(self, checked=False):
        self._find(_("Preparing the cases..."), study_results.preparing, TO_FIT)

    # What there is

    def onStatus(self, checked=False):
        self._find(_("Reading the readings..."), study_results.status, TO_ANALYSE)

    def onVerify(self, checked=False):
        self._find(_("Verifying the readings..."), study_results.verifying, ())

    def onAgreement(self, checked=False):
        self._find(_("Comparing the readings..."), study_results.agreeing, TO_ANALYSE)

    def onExport(self, checked=False):
        form = Form(_("Export the readings"), lambda: target.currentPath)
        target = form.add(_("Folder:"), folderEdit("HER2MapExportFolder"))
        target.connect("currentPathChanged(QString)", form.update)
        box = form.add(_("Format:"), qt.QComboBox())
        box.addItems(list(FORMATS))
        if form.ask():
            folder, fileFormat = target.currentPath, FORMATS[box.currentText]
            target.addCurrentPathToHistory()
            packages = (*TO_ANALYSE, *(TO_EXPORT if fileFormat != "csv" else ()))
            work = lambda study: study_results.exporting(study, folder, fileFormat)  # noqa: E731
            self._find(_("Writing the tables..."), work, packages)
        form.close()

    def onAnalyse(self, checked=False):
        """Tables, ROC curves and report of the study and a pathology table."""
        form = AnalyseForm(cohort_work.pathologyOf(self.ui.folderEdit.currentPath))
        if form.ask():
            with problemsShown():
                ensurePackages(*TO_ANALYSE, *TO_REPORT)
                work = cohort_work.analysing(self.ui.folderEdit.currentPath, *form.answers())
                found = self.run(_("Analysing the cohort..."), work)
                form.remember()
                self.show(found.results, found.report)
                cohort_nodes.showCohort(found.tables, cohort_work.SHOWN, found.curves)
                self.readingRoom.leave()
                cohort_nodes.showCurves()
        form.close()

    def onOpenReport(self, checked=False):
        qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(self.report)))

    def _find(self, title, work, packages):
        """Run `work` of the study's folder and show what it found."""
        with problemsShown():
            ensurePackages(*packages)
            results = self.run(title, work(self.ui.folderEdit.currentPath))
            self.ui.folderEdit.addCurrentPathToHistory()
            self.show(results)

    def onCopy(self, checked=False):
        table = self.results.tables[self.ui.whichBox.currentIndex]
        self.logic.clipboard.copy((table.header, *table.rows))

    # What is shown

    def show(self, results, report=None):
        self.results, self.report = results, report
        ui = self.ui
        ui.openReportButton.visible = report is not None
        ui.headLabel.text, ui.alarmLabel.text = results.head, "\n".join(results.alarms)
        ui.headLabel.visible, ui.alarmLabel.visible = bool(results.head), bool(results.alarms)
        ui.tableBox.visible = bool(results.tables)
        blocked = ui.whichBox.blockSignals(True)
        ui.whichBox.clear()
        ui.whichBox.addItems([table.title for table in results.tables])
        ui.whichBox.blockSignals(blocked)
        self.showTable()

    def showTable(self, index=0):
        number = self.ui.whichBox.currentIndex
        known = 0 <= number < len(self.results.tables)
        table = self.results.tables[number] if known else study_results.Table("", (), ())
        fillTable(self.ui.resultTable, table.header, table.rows)


class NewStudyForm:
    """Title, readers, the folder to make and that of the exams."""

    def __init__(self) -> None:
        self._form = Form(_("New study"), self._complete)
        self.titleEdit = self._form.addText(_("Title:"))
        self.folderEdit = self._form.add(_("Folder of the study:"), folderEdit("HER2MapStudyFolder"))
        self.examsEdit = self._form.add(_("Folder of the exams:"), folderEdit("HER2MapExamsFolder"))
        self.readersEdit = self._form.addText(_("Readers:"))
        self.examsEdit.toolTip = _("Every folder in it is the exam of one case")
        self.readersEdit.toolTip = _("A code for each, such as R1, R2: letters, digits, - and _")
        self.readersEdit.placeholderText = "R1, R2"
        for edit in (self.folderEdit, self.examsEdit):
            edit.connect("currentPathChanged(QString)", self._form.update)

    def ask(self) -> bool:
        return self._form.ask()

    def close(self) -> None:
        self._form.close()

    def answers(self) -> tuple[str, str, str, list[str]]:
        """Folder of the study, title, folder of the exams, readers."""
        readers = self.readersEdit.text.replace(";", ",").replace(" ", ",").split(",")
        return (
            self.folderEdit.currentPath,
            self.titleEdit.text.strip(),
            self.examsEdit.currentPath,
            [reader for reader in readers if reader],
        )

    def _complete(self) -> bool:
        return all(self.answers())


class AnalyseForm:
    """The pathology table, its preset, and the folder of the report."""

    def __init__(self, pathology: str) -> None:
        self._form = Form(_("Analyse cohort"), lambda: all(self.answers()))
        self._pathology = self._form.add(_("Pathology table:"), pathEdit("HER2MapPathology"))
        self._pathology.nameFilters = ["CSV (*.csv)"]
        self._preset = self._form.add(_("HER2 groups:"), qt.QComboBox())
        self._preset.addItems(list(PRESETS))
        self._target = self._form.add(_("Folder for the report:"), folderEdit("HER2MapReportFolder"))
        self._pathology.setCurrentPath(pathology)
        for edit in (self._pathology, self._target):
            edit.connect("currentPathChanged(QString)", self._form.update)

    def ask(self) -> bool:
        return self._form.ask()

    def close(self) -> None:
        self._form.close()

    def answers(self) -> tuple[str, str, str]:
        """Pathology table, preset, folder of the report."""
        preset = PRESETS[self._preset.currentText]
        return self._pathology.currentPath, preset, self._target.currentPath

    def remember(self) -> None:
        """What was of use is offered the next time."""
        for edit in (self._pathology, self._target):
            edit.addCurrentPathToHistory()


def pathEdit(key: str):
    """A path line for a file that exists; `key` in the settings keeps those used before."""
    edit = ctk.ctkPathLineEdit()
    edit.filters = ctk.ctkPathLineEdit.Files
    edit.minimumContentsLength = 40
    edit.settingKey = key
    edit.setCurrentPath("")
    return edit


def folderEdit(key: str):
    """A path line for a folder, also one to be made; `key` in the settings keeps those used before."""
    edit = ctk.ctkPathLineEdit()
    edit.filters = ctk.ctkPathLineEdit.Dirs
    edit.settingKey = key
    edit.setCurrentPath("")
    return edit
