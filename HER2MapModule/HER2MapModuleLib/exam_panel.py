"""The exam: where it comes from, and what each of its series is."""

import qt
from slicer.i18n import tr as _

from . import dicom_database, sample_data
from .dependencies import TO_READ_NIFTI, ensurePackages
from .dialogs import chooseFrom
from .panel import Panel, problemsShown
from .scene_import import SceneImportDialog
from .tables import fillTable

ROLE_COLUMN = 2


class ExamPanel(Panel):
    title = _("Exam")
    uiFile = "ExamPanel.ui"

    def setup(self):
        self.ui.readButton.connect("clicked(bool)", self.onRead)
        self.ui.patientButton.connect("clicked(bool)", self.onPatient)
        self.ui.sceneButton.connect("clicked(bool)", self.onScene)
        self.ui.sampleButton.connect("clicked(bool)", self.onSample)
        self.logic.examChanged.connect(self.show)
        self.show()

    def onRead(self, checked=False):
        folder = self.ui.folderEdit.currentPath
        with problemsShown():
            if not folder:
                raise ValueError(_("Choose the folder of the patient's exam first."))
            self.read(folder)

    def onPatient(self, checked=False):
        with problemsShown():
            studies = dicom_database.studies()
            chosen = chooseFrom(_("Study"), _("Study:"), [study.label for study in studies])
            if chosen is not None:
                self.read(dicom_database.files(studies[chosen]))

    def onScene(self, checked=False):
        with problemsShown():
            exam = SceneImportDialog().ask()
            if exam is not None:
                self.logic.takeExam(exam)
                self.readingRoom.show()

    def onSample(self, checked=False):
        with problemsShown():
            folder = self.run(_("Simulating the exam of a digital breast..."), sample_data.writing())
            self.read(str(folder))

    def read(self, source):
        """Read a folder or a list of files, and show the exam."""
        with problemsShown():
            exam = self._readExam(source)
            self.logic.takeExam(exam, source if isinstance(source, str) else "")
            self.readingRoom.show()

    def _readExam(self, source):
        """Read, and once more when the user lets NIfTI's package be installed."""
        from her2map.errors import InputError

        try:
            exam = self.run(_("Reading the exam..."), self.logic.reading(source))
            if not any(TO_READ_NIFTI in line for line in exam.skipped):
                return exam
        except InputError as problem:
            if TO_READ_NIFTI not in str(problem):
                raise
        ensurePackages(TO_READ_NIFTI)
        return self.run(_("Reading the exam..."), self.logic.reading(source))

    def show(self):
        """The series of the exam with their roles."""
        facts = self.logic.facts
        self.ui.folderEdit.setCurrentPath(self.logic.examFolder)
        rows = [
            (
                one["key"],
                one["description"],
                _roleText(one["role"], one["technique"]),
                one["reason"],
                "; ".join([*one["missing"], *one["problems"]]),
            )
            for one in facts.get("series", [])
        ]
        header = (_("Key"), _("Series"), _("Taken for"), _("Why"), _("Missing or left out"))
        fillTable(self.ui.seriesTable, header, rows)
        self._addRoleBoxes(facts)
        self.ui.remarksLabel.text = "\n".join(facts.get("remarks", []))
        self.ui.remarksLabel.visible = bool(facts.get("remarks"))

    def _addRoleBoxes(self, facts):
        """A list of roles in every row; after a scene was opened the pixels are gone, and the texts stay."""
        if self.logic.exam is None:
            return
        from her2map.series import role_choices

        for row, assignment in enumerate(self.logic.exam.assignments):
            choices = role_choices(assignment.series)
            current = (assignment.role, assignment.technique)
            if current not in choices:
                choices = [current, *choices]
            box = qt.QComboBox()
            box.addItems([_roleText(role.value, technique.value) for role, technique in choices])
            box.setCurrentIndex(choices.index(current))
            box.toolTip = _("What this series is used for")
            box.connect("activated(int)", self._roleChooser(assignment.key, choices))
            self.ui.seriesTable.setCellWidget(row, ROLE_COLUMN, box)
        self.ui.seriesTable.setColumnWidth(ROLE_COLUMN, 210)

    def _roleChooser(self, key, choices):
        def choose(index):
            role, technique = choices[index]
            # The table is filled anew, which deletes the box that called: later, when it has returned.
            qt.QTimer.singleShot(0, lambda: self._setRole(key, role.value, technique.value))

        return choose

    def _setRole(self, key, role, technique):
        with problemsShown():
            self.logic.setRole(key, role, technique)


def _roleText(role: str, technique: str) -> str:
    if role == "none":
        return _("not used")
    return f"{role} ({technique.replace('_', ' ')})"
