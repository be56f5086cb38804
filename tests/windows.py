"""Windows put down one by one, for tests: what the formulas of sizes must agree with."""


def starts(n, f, s, begin, end, d, *, ceil=False):
    """Where windows start in the padded input, laid down from its first element on."""
    padded = range(n + begin + end)
    found = []
    start = 0
    if not ceil:
        while all(start + k * d in padded for k in range(f)):
            found.append(start)
            start += s
        return found
    # Rounded up, a window stands wherever the one before it leaves an element over.
    while start - s + d * (f - 1) + 1 < len(padded):
        found.append(start)
        start += s
    if found and found[-1] >= begin + n:
        found.pop()
    return found


def scattered(n, f, s, d):
    """The positions that windows spread over, one from each of n elements."""
    return {i * s + k * d for i in range(n) for k in range(f)}
