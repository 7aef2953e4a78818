"""What the log store finds wrong with a question, in the words and codes of CLS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mcp_tencent.local_cloud.logs.errors import (
    AnalysisFailed,
    AnalysisTooExpensive,
    CursorInvalid,
    IndexNotEnabled,
    LogNotFound,
    StatementError,
    TopicNotFound,
)
from mcp_tencent.local_cloud.tencent.errors import ActionError


@contextmanager
def service_errors() -> Iterator[None]:
    """Turn the log store's errors into the service's.

    Raises:
        ActionError: SyntaxError (with the position), QueryError, SearchTimeout, InvalidContext, TopicNotExist
            or IndexNotExist.
    """
    try:
        yield
    except StatementError as error:
        message = f"SyntaxError[{error.message}], position: {error.position}"
        raise ActionError("FailedOperation.SyntaxError", message) from error
    except AnalysisFailed as error:
        raise ActionError("FailedOperation.QueryError", f"QueryError[{error}]") from error
    except AnalysisTooExpensive as error:
        raise ActionError("FailedOperation.SearchTimeout", f"SearchTimeout[{error}]") from error
    except CursorInvalid as error:
        raise ActionError(
            "FailedOperation.InvalidContext", "The context has expired or does not exist."
        ) from error
    except LogNotFound as error:
        message = "No log has this PkgId and PkgLogId."
        raise ActionError("FailedOperation.InvalidContext", message) from error
    except IndexNotEnabled as error:
        raise ActionError("ResourceNotFound.IndexNotExist", "The topic has no index in force.") from error
    except TopicNotFound as error:
        raise ActionError("ResourceNotFound.TopicNotExist", "The topic does not exist.") from error
