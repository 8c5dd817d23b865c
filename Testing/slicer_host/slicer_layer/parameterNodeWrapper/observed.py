"""Lists and dictionaries that write themselves back to the parameter node when they are changed."""

import collections.abc


class ObservedList(collections.abc.MutableSequence):
    """Stands for ObservedList: ``+`` and ``*`` are left out, for they would make an unobserved list."""

    def __init__(self, node, codec, name, values):
        self._target = (node, codec, name)
        self._list = values

    def _save(self) -> None:
        node, codec, name = self._target
        try:
            codec.write(node, name, self._list)
        finally:
            self._list = codec.read(node, name)._list

    def __getitem__(self, index):
        return self._list[index]

    def __len__(self):
        return len(self._list)

    def __setitem__(self, index, value):
        self._list[index] = value
        self._save()

    def __delitem__(self, index):
        del self._list[index]
        self._save()

    def insert(self, index, value):
        self._list.insert(index, value)
        self._save()

    # What the base class would do element by element is one change of the node.

    def extend(self, values):
        self._list.extend(values)
        self._save()

    def __iadd__(self, values):
        self.extend(values)
        return self

    def clear(self):
        self._list.clear()
        self._save()

    def reverse(self):
        self._list.reverse()
        self._save()

    def sort(self, **options):
        self._list.sort(**options)
        self._save()

    def __eq__(self, other):
        return self._list == (other._list if isinstance(other, ObservedList) else other)

    __hash__ = None

    def __repr__(self):
        return f"ObservedList({self._list})"


class ObservedDict(collections.abc.MutableMapping):
    """Stands for ObservedDict."""

    def __init__(self, node, codec, name, values):
        self._target = (node, codec, name)
        self._dict = values

    def _save(self) -> None:
        node, codec, name = self._target
        try:
            codec.write(node, name, self._dict)
        finally:
            self._dict = codec.read(node, name)._dict

    def __getitem__(self, key):
        return self._dict[key]

    def __iter__(self):
        return iter(self._dict)

    def __len__(self):
        return len(self._dict)

    def __setitem__(self, key, value):
        self._dict[key] = value
        self._save()

    def __delitem__(self, key):
        del self._dict[key]
        self._save()

    def popitem(self):
        item = self._dict.popitem()
        self._save()
        return item

    def clear(self):
        self._dict.clear()
        self._save()

    def __eq__(self, other):
        return self._dict == (other._dict if isinstance(other, ObservedDict) else other)

    __hash__ = None

    def __repr__(self):
        return f"ObservedDict({self._dict})"
