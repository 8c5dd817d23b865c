"""Words that sentences of the library and of the command share."""


def counted(number: float, one: str, several: str = "") -> str:
    """A number of things: "1 case", "2 cases"; `several` where its plural is not made with an s."""
    return f"{number:g} {one if number == 1 else several or f'{one}s'}"
