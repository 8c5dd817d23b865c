"""The coordinator's panel of a study: making and preparing it; how far it is, and how well readings agree."""

import ctk
import qt
from slicer.i18n import tr as _

from . import study_results
from .dependencies import TO_ANALYSE, TO_EXPORT, TO_FIT, ensurePackages
from .dialogs import Form
from .panel import Panel, problemsShown
from .tables import fillTable

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
        for name in ("check", "prepare", "status", "verify", "agreement", "export"):
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

    def show(self, results):
        self.results = results
        ui = self.ui
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


def folderEdit(key: str):
    """A path line for a folder, also one to be made; `key` in the settings keeps those used before."""
    edit = ctk.ctkPathLineEdit()
    edit.filters = ctk.ctkPathLineEdit.Dirs
    edit.settingKey = key
    edit.setCurrentPath("")
    return edit
