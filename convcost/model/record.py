"""`NamedTuple`, as `typing` has it, but without code that is compiled for each class.

`typing.NamedTuple` compiles a constructor for each class: 0.05 to 0.1 ms. A run needs about sixty
classes, so that was a twentieth of the time of a short one. Here all classes share one constructor.
Type checkers see `typing.NamedTuple`.
"""

from typing import TYPE_CHECKING

__all__ = ["NamedTuple", "Record"]

if TYPE_CHECKING:
    from typing import Any, ClassVar, NamedTuple, Self, dataclass_transform

    @dataclass_transform(frozen_default=True)
    class Record:
        """A NamedTuple without fields; each subclass has its own. typing has no such base."""

        _fields: ClassVar[tuple[str, ...]]

        def _replace(self, **changed: Any) -> Self: ...
else:
    from collections import _tuplegetter

    class _Meta(type):
        """Makes a read-only attribute of each annotated name, unless a base has fields."""

        def __new__(cls, name, bases, members):
            class_ = super().__new__(cls, name, bases, {"__slots__": (), **members})
            if not class_._fields:
                fields = class_._fields = class_.__match_args__ = tuple(class_.__annotations__)
                class_._field_defaults = {key: members[key] for key in fields if key in members}
                class_._defaults = tuple(class_._field_defaults.values())
                for index, key in enumerate(fields):
                    setattr(class_, key, _tuplegetter(index, None))
            return class_

    class NamedTuple(tuple, metaclass=_Meta):
        """A tuple whose elements are the annotated fields of the subclass, in their order. Fields
        with a value in the class are optional."""

        __slots__ = ()
        _fields = ()

        def __new__(cls, *values, **named):
            if named or len(values) != len(cls._fields):
                values = cls._field_values(values, named)
            return tuple.__new__(cls, values)

        @classmethod
        def _field_values(cls, values, named):
            """The values of all fields: the values by position, those by name, and defaults."""
            missing = cls._fields[len(values) :]
            if missing and not named and len(missing) <= len(cls._defaults):
                return values + cls._defaults[-len(missing) :]
            value_by_field = {**cls._field_defaults, **named}
            is_complete = named.keys() <= set(missing) <= value_by_field.keys()
            if not is_complete or len(values) > len(cls._fields):
                raise TypeError(f"{cls.__name__} has the fields {', '.join(cls._fields)}")
            return values + tuple([value_by_field[key] for key in missing])

        @classmethod
        def _make(cls, values):
            return cls(*values)

        def _replace(self, **changed):
            # As in the standard library: `map` calls no function of Python for each field.
            replaced = tuple.__new__(type(self), map(changed.pop, self._fields, self))
            if changed:
                raise TypeError(f"{type(self).__name__} has no field {', '.join(changed)}")
            return replaced

        def _asdict(self):
            return dict(zip(self._fields, self, strict=True))

        def __repr__(self):
            fields = ", ".join(f"{key}={value!r}" for key, value in self._asdict().items())
            return f"{type(self).__name__}({fields})"

        def __getnewargs__(self):
            return tuple(self)

    Record = NamedTuple
