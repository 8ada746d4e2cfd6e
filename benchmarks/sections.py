"""The sections of RESULTS.md: each makes the text of one subject from the results."""

from benchmarks import test_hot_path as hot_path
from benchmarks import test_options as options
from benchmarks.peers import PEERS, RAW
from benchmarks.results import Results, between, ratios, seconds, spread, table
from benchmarks.test_fleet import ZOHO_SECONDS
from benchmarks.test_growth import OPERATIONS
from benchmarks.test_start_up import PROGRAMS


def hot_path_section(results: Results) -> str:
    """Item by item, beside pymongo alone."""
    rows = []
    for operation in hot_path.OPERATIONS:
        times = {
            clock: results.turns("test_hot_path", "subject", operation=operation, clock=clock)
            for clock in ("cpu", "wall")
        }
        for subject in hot_path.SUBJECTS:
            cpu, wall = times["cpu"][subject], times["wall"][subject]
            rows.append(
                (
                    f"{operation}: {subject}",
                    seconds(spread(cpu).median),
                    between(ratios(cpu, times["cpu"][RAW])),
                    between(ratios(cpu, times["cpu"][hot_path.BOUNDED])),
                    seconds(spread(wall).median),
                    between(ratios(wall, times["wall"][RAW])),
                )
            )
    return f"""## A find and a save, beside pymongo alone

On: {results.facts["mongodb"]}, a collection of 10 tokens, one connection.

{
        table(
            ("", "client CPU", "CPU / raw", "CPU / bounded", "wall", "wall / raw"),
            *rows,
        )
    }

Raw is `find_one` or `find_one_and_update` of the same document on the same connection, and a token
from the SDK's constructor. Bounded is the same within `pymongo.timeout`, by which this store keeps
an operation to its five seconds, also on a borrowed client. CPU is the thread's, from
`time.thread_time`. The subjects take turns, {hot_path.TURNS} times; a ratio is taken within a turn,
and its median stands before the quartiles.

What this store adds: it checks the fields that it is given and those that it reads, fills the
caller's own token, arms it for the fleet's one refresh, keeps a save that cannot get through, and
asks for the majority's acknowledgement. The largest single part is the time-out, which the rows
"bounded" show by itself. The longer a server takes, the colder the client's caches are when it goes
on, so a save costs more CPU than its work alone.

![CPU of a find and a save](hot_path.png)
"""


def growth_section(results: Results) -> str:
    """Each peer's find as the collection grows."""
    found = {
        (params["peer"], params["operation"], extra["tokens"]): stats
        for params, stats, extra in results.of("test_find")
    }
    counts = sorted({tokens for _, _, tokens in found})
    rows = []
    for operation in OPERATIONS:
        for peer in PEERS:
            cells = [found.get((peer, operation, tokens)) for tokens in counts]
            rows.append(
                (
                    f"{operation}: {peer}",
                    *(
                        f"{seconds(cell['median'])} ± {seconds(cell['iqr'] / 2)}"
                        if cell
                        else "left out"
                        for cell in cells
                    ),
                )
            )
    return f"""## Growth

On: {results.facts["mongodb"]} for MongoTokenStore and raw pymongo; files for FileStore and SQLite;
DBStore: {results.facts["mariadb"]}. Wall time of one find, the median ± half the distance of the
quartiles. Saves are not timed here: the embedded server scans for each.

{table(("tokens stored", *(f"{tokens:,}" for tokens in counts)), *rows)}

The token looked for is the middle one: a search from the first row meets it halfway. What
MongoTokenStore and raw pymongo show alike is the server's. With few tokens a file is quicker than
any server, since nothing goes over a socket. FileStore reads the file anew for each find. DBStore
and the SQLite sample have no index but that of the key, so only their find by id keeps its pace;
DBStore opens a connection for each call, SQLite opens the file.

![Time of a find as the collection grows](growth.png)
"""


def fleet_section(results: Results) -> str:
    """Callers on one expired token."""
    outcomes = {
        (params["peer"], params["callers"]): extra for params, _, extra in results.of("test_fleet")
    }
    sizes = sorted({callers for _, callers in outcomes})
    rows = [
        (
            peer,
            *(
                f"{outcome['requests']} / {outcome['failed']} / {outcome['seconds']:.1f} s"
                if outcome
                else "left out"
                for outcome in (outcomes.get((peer, callers)) for callers in sizes)
            ),
        )
        for peer in PEERS
    ]
    return f"""## A fleet on one expired token

On: {results.facts["mongodb"]}, {results.facts["mariadb"]}, files; a loopback Zoho that takes
{ZOHO_SECONDS} s to answer and gives 10 access tokens per refresh token in 10 minutes, as Zoho does.
Each caller is a process with a store of its own that asks the SDK for an access token. A cell holds
the requests that Zoho received / the callers that got no usable access token / the time until the
last one had its answer.

{table(("callers", *map(str, sizes)), *rows)}

With this store one process asks Zoho, once, and the others look for its answer every 50 to 250 ms.
So the last of them can have it a little later than a caller of another store has its own answer or
its refusal.

![Requests and failures of a fleet](fleet.png)
"""


def many_section(results: Results) -> str:
    """Reading all tokens, and importing many."""
    rows = [
        (
            params["reader"],
            seconds(stats["median"]),
            seconds(stats["median"] / extra["tokens"]),
            f"{extra['memory_mib']:.1f} MiB",
        )
        for params, stats, extra in results.of("test_read")
    ]
    ((_, imported, extra),) = results.of("test_import")
    speed = extra["tokens"] / imported["median"]
    return f"""## Many tokens

On: {results.facts["mongodb"]}, {results.facts["mariadb"]}, files; {extra["tokens"]:,} tokens.
Memory is by how much the process's peak lies above what it held before.

{table(("", "all tokens", "per token", "memory"), *rows)}

`get_tokens` makes a list of all tokens, `iter_tokens` holds one batch of 1,000. FileStore and
DBStore make their tokens without the constructor, which is quicker; such a token is never saved
again (`OAuthToken.get_token` needs an attribute that it lacks).

Import of a FileStore file of {extra["tokens"]:,} rows: {seconds(imported["median"])},
{speed:,.0f} rows a second, {extra["memory_mib"]:.1f} MiB; {seconds(extra["client_cpu"])} of it is
the client's CPU, {seconds(extra["client_cpu"] / extra["tokens"])} a row, and the rest the server's.
"""


def start_up_section(results: Results) -> str:
    """Imports and the first token."""
    programs = {
        params["program"]: (stats, extra) for params, stats, extra in results.of("test_import_time")
    }
    imports = programs[PROGRAMS[-1]][1]["import_times"]
    parts = {name: spread([times[name] / 1000 for times in imports]) for name in imports[0]}
    rows = [
        *((program, stats) for program, (stats, _) in programs.items()),
        *(
            (f"first token: {params['peer']}", stats)
            for params, stats, _ in results.of("test_first_token")
        ),
    ]
    shares = ", ".join(f"{name} {seconds(part.median)}" for name, part in parts.items())
    return f"""## Start-up

On: {results.facts["mongodb"]}; a file for FileStore. Wall time of a process from its start: until
it has imported what it says and has ended, or until it has its first token.

{
        table(
            ("", "median", "quartiles apart"),
            *((name, seconds(stats["median"]), seconds(stats["iqr"])) for name, stats in rows),
        )
    }

`-X importtime` of one process that imports them in this order, each without what was there already:
{shares}.
"""


def options_section(results: Results) -> str:
    """What each option costs."""
    rows = []
    for operation in options.OPERATIONS:
        times = results.turns("test_options", "option", operation=operation)
        for option in options.OPTIONS:
            cpu = times[option]
            rows.append(
                (
                    f"{operation}: {option}",
                    seconds(spread(cpu).median),
                    between(ratios(cpu, times[options.DEFAULT])),
                )
            )
    return f"""## Options, when nothing is due

On: {results.facts["mongodb"]}, a collection of 10 tokens, one connection. The default is with the
refresh coordinated; `refresh=None` is without.

{table(("", "client CPU", "CPU / the defaults"), *rows)}

A find decrypts four fields, and encrypts the one that it is looked up by if that is a secret; a
save encrypts four and decrypts four. Each costs a call into libmongocrypt.
"""
