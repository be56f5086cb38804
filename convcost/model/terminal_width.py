"""The width of a text on a terminal."""


def width_of(text: str) -> int:
    """The width of a text in terminal columns."""
    if text.isascii() or not any(character > "\u02ff" for character in text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
