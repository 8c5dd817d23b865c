"""Stand-in for Slicer's module SampleData: other modules register their data sets with it."""

import tempfile
import urllib.request
from pathlib import Path

import slicer


class SampleDataSource:
    """One data set: where its files are, and what they are called in the scene."""

    def __init__(
        self,
        sampleName=None,
        sampleDescription=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        checksums=None,
        loadFiles=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFileProperties=None,
    ):
        self.sampleName = sampleName
        self.sampleDescription = sampleDescription or sampleName
        # Slicer wants addresses also where a downloader of the module's own makes the data.
        self.uris = [uris] if isinstance(uris, str) else list(uris)
        self.fileNames = self._one_each(fileNames)
        self.nodeNames = self._one_each(nodeNames)
        self.loadFiles = self._one_each(loadFiles)
        self.loadFileTypes = self._one_each(loadFileTypes)
        self.loadFileProperties = loadFileProperties or {}
        self.checksums = self._one_each(checksums)
        self.customDownloader = customDownloader
        self.thumbnailFileName = thumbnailFileName

    def _one_each(self, value) -> list:
        values = [value] * len(self.uris) if value is None or isinstance(value, str | bool) else list(value)
        if len(values) != len(self.uris):
            raise ValueError("All fields of sample data source must have the same length")
        return values

    def __eq__(self, other):
        return vars(self) == vars(other)

    __hash__ = None


class SampleDataLogic:
    """Finds, downloads and loads data sets."""

    def __init__(self, logMessage=None):
        self.logMessage = logMessage or (lambda message, logLevel=0: None)

    @staticmethod
    def registerCustomSampleDataSource(
        category="Custom",
        sampleName=None,
        uris=None,
        fileNames=None,
        nodeNames=None,
        customDownloader=None,
        thumbnailFileName=None,
        loadFileTypes=None,
        loadFiles=None,
        loadFileProperties=None,
        checksums=None,
        loadFileType=None,
    ):
        source = SampleDataSource(
            sampleName,
            uris=uris,
            fileNames=fileNames,
            nodeNames=nodeNames,
            customDownloader=customDownloader,
            thumbnailFileName=thumbnailFileName,
            loadFileTypes=loadFileTypes or loadFileType,
            loadFiles=loadFiles,
            loadFileProperties=loadFileProperties,
            checksums=checksums,
        )
        known = SampleDataLogic.sampleDataSourcesByCategory().setdefault(category, [])
        if source not in known:
            known.append(source)

    @staticmethod
    def sampleDataSourcesByCategory(category=None):
        if not hasattr(slicer.modules, "sampleDataSources"):
            slicer.modules.sampleDataSources = {}
        sources = slicer.modules.sampleDataSources
        return sources if category is None else sources.get(category, [])

    @staticmethod
    def isSampleDataSourceRegistered(category, sampleDataSource):
        return sampleDataSource in SampleDataLogic.sampleDataSourcesByCategory(category)

    def sourceForSampleName(self, sampleName):
        everything = (s for group in self.sampleDataSourcesByCategory().values() for s in group)
        return next((source for source in everything if source.sampleName == sampleName), None)

    def downloadSamples(self, sampleName):
        source = self.sourceForSampleName(sampleName)
        return self.downloadFromSource(source) if source else []

    def downloadSample(self, sampleName):
        return self.downloadSamples(sampleName)[0]

    def downloadFromSource(self, source, maximumAttemptsCount=3, forceDownload=False):
        # As in Slicer, a source's own downloader is called by the button of the module, not from here.
        return [
            self._load(*file) for file in zip(source.uris, source.fileNames, source.nodeNames, strict=True)
        ]

    @staticmethod
    def _load(uri, file_name, node_name):
        folder = Path(tempfile.mkdtemp(dir=slicer.app.cachePath))
        path = folder / (file_name or Path(uri).name)
        urllib.request.urlretrieve(uri, path)
        properties = {"name": node_name} if node_name else {}
        return slicer.util.loadNodeFromFile(str(path), properties=properties) if node_name else str(path)


def downloadSample(sampleName):
    return SampleDataLogic().downloadSample(sampleName)


def downloadSamples(sampleName):
    return SampleDataLogic().downloadSamples(sampleName)
