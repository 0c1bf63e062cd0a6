"""Where graphite-web finds values: as it does by itself, but a file that cannot be read costs its own values only.

By itself graphite-web answers 500 to every query that touches one: for the moment in which carbon makes a file, and for
good where carbon was killed in that moment.
"""

from graphite.finders.standard import StandardFinder
from graphite.node import LeafNode
from graphite.readers import WhisperReader
from whisper import CorruptWhisperFile


class WholeFileReader(WhisperReader):
    __slots__ = ()

    def fetch_data(self, startTime, endTime, now=None):
        try:
            return super().fetch_data(startTime, endTime, now=now)
        except CorruptWhisperFile as error:
            # What graphite-web takes for a file without values, with a line in the log.
            raise OSError(str(error)) from None


class WholeFileFinder(StandardFinder):
    def find_nodes(self, query):
        for node in super().find_nodes(query):
            if node.is_leaf and type(node.reader) is WhisperReader:
                yield LeafNode(node.path, WholeFileReader(node.reader.fs_path, node.reader.real_metric_path))
            else:
                yield node
