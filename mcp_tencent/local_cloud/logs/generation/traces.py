"""Stack traces of Java, Python and Go programs, each one text of several lines."""

from __future__ import annotations

from random import Random

_JAVA_CAUSES = (
    ("java.sql.SQLTransientConnectionException", "HikariPool-1 - Connection is not available after 30000ms"),
    ("java.net.SocketTimeoutException", "Read timed out"),
    ("java.lang.NullPointerException", 'Cannot invoke "Coupon.getId()" because "coupon" is null'),
    ("io.lettuce.core.RedisCommandTimeoutException", "Command timed out after 3 second(s)"),
    ("java.lang.OutOfMemoryError", "Java heap space"),
)  # fmt: skip
_JAVA_FRAMES = (
    "com.shop.order.OrderService.create(OrderService.java:{})",
    "com.shop.order.OrderController.submit(OrderController.java:{})",
    "com.shop.stock.StockClient.reserve(StockClient.java:{})",
    "com.shop.pay.PaymentGateway.charge(PaymentGateway.java:{})",
    "com.shop.db.Repository.findOne(Repository.java:{})",
    "org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:{})",
    "org.apache.catalina.core.StandardWrapperValve.invoke(StandardWrapperValve.java:{})",
    "java.base/java.lang.Thread.run(Thread.java:{})",
)
_PYTHON_CAUSES = (
    ("psycopg.OperationalError", "connection failed: Connection refused"),
    ("redis.exceptions.ConnectionError", "Error 111 connecting to redis:6379. Connection refused."),
    ("KeyError", "'user_level'"),
    ("TimeoutError", "upstream did not answer within 5.0 s"),
    ("ValueError", "优惠券已过期"),
)
_PYTHON_FRAMES = (
    ("/app/api/routes.py", "submit", "return await service.create(order)"),
    ("/app/service/orders.py", "create", "stock = await self._stock.reserve(order.items)"),
    ("/app/service/recommend.py", "rank", "score = model[user.level] * item.weight"),
    ("/app/db/pool.py", "acquire", "return await self._pool.getconn(timeout=5)"),
    ("/app/clients/http.py", "request", "raise TimeoutError(f'upstream did not answer within {limit} s')"),
)
_GO_CAUSES = (
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "panic: runtime error: index out of range [3] with length 3",
    "fatal error: concurrent map writes",
    "panic: assignment to entry in nil map",
)
_GO_FRAMES = (
    ("main.(*Gateway).route", "/src/gateway/route.go"),
    ("main.(*Limiter).allow", "/src/gateway/limit.go"),
    ("net/http.HandlerFunc.ServeHTTP", "/usr/local/go/src/net/http/server.go"),
    ("net/http.(*conn).serve", "/usr/local/go/src/net/http/server.go"),
)


def java_trace(rng: Random) -> str:
    """Return an exception with its frames and a cause."""
    name, message = _JAVA_CAUSES[int(rng.random() * len(_JAVA_CAUSES))]
    depth = 3 + int(rng.random() * (len(_JAVA_FRAMES) - 3))
    frames = [f"\tat {frame.format(20 + int(rng.random() * 400))}" for frame in _JAVA_FRAMES[:depth]]
    head = f"com.shop.common.ServiceException: 处理请求失败: {message}"
    return "\n".join([head, *frames, f"Caused by: {name}: {message}", frames[0], f"\t... {depth + 24} more"])


def python_trace(rng: Random) -> str:
    """Return a traceback, most recent call last."""
    name, message = _PYTHON_CAUSES[int(rng.random() * len(_PYTHON_CAUSES))]
    lines = ["Traceback (most recent call last):"]
    for file, function, code in _PYTHON_FRAMES[: 2 + int(rng.random() * 3)]:
        lines += [f'  File "{file}", line {10 + int(rng.random() * 300)}, in {function}', f"    {code}"]
    return "\n".join([*lines, f"{name}: {message}"])


def go_trace(rng: Random) -> str:
    """Return a panic with the stack of its goroutine."""
    lines = [
        _GO_CAUSES[int(rng.random() * len(_GO_CAUSES))],
        "",
        f"goroutine {1 + int(rng.random() * 9000)} [running]:",
    ]
    for function, file in _GO_FRAMES:
        lines += [
            f"{function}(0xc000{int(rng.random() * 0xFFFFF):05x})",
            f"\t{file}:{10 + int(rng.random() * 900)}",
        ]
    return "\n".join([*lines, "exit status 2"])
