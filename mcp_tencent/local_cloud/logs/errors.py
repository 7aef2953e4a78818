"""What can be wrong with a question to the log service. The API layer gives each its CLS error code.

LogsError
├── StatementError           the statement cannot be understood; carries the offset where
│   ├── QuerySyntaxError     the search half (CQL or Lucene)
│   │   └── FieldNotIndexed  asks for a key without a key-value index
│   └── SqlSyntaxError       the analysis half: syntax, unknown column or function, forbidden construct
├── AnalysisRejected         the database cannot resolve the analysis; the caller makes it a SqlSyntaxError
├── AnalysisFailed           the analysis was understood but failed on the data (division by zero, bad cast)
├── AnalysisTooExpensive     the analysis, or the search before it, ran out of memory or time
├── TopicNotFound            no such topic
├── TopicExists              a topic of this id is there already
├── IndexNotEnabled          the topic has no index, so nothing in it can be searched
├── CursorInvalid            a paging context that this store did not give out
├── LogNotFound              no log with this package id and position
└── TemplateError            a log template names a slot that nobody fills
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one
from __future__ import annotations


class LogsError(Exception):
    """Any failure of the log service."""


class StatementError(LogsError):
    """A statement cannot be understood."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(f"{message} (at position {position})")
        self.message = message
        self.position = position
        """Offset in characters from the start of the whole statement, counted from 0."""


class QuerySyntaxError(StatementError):
    """The search half is no CQL or Lucene."""


class FieldNotIndexed(QuerySyntaxError):
    """The search half asks for a key that has no key-value index."""


class SqlSyntaxError(StatementError):
    """The analysis half is no acceptable SELECT."""


class AnalysisRejected(LogsError):
    """The database cannot resolve an analysis: an unknown name, or types that do not fit."""


class AnalysisFailed(LogsError):
    """The analysis failed on the data."""


class AnalysisTooExpensive(LogsError):
    """The question needs more memory or time than one question may have."""


class TopicNotFound(LogsError):
    """No such topic."""


class TopicExists(LogsError):
    """A topic of this id is there already."""


class IndexNotEnabled(LogsError):
    """The topic has no index."""


class CursorInvalid(LogsError):
    """A paging context that this store did not give out."""


class LogNotFound(LogsError):
    """No log with this package id and position."""


class TemplateError(LogsError):
    """A log template cannot be filled."""
