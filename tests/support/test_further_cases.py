"""Cases that are left to the drills: never the first of a test on PostgreSQL, and none that nothing else runs."""

from tests.support.databases import POSTGRESQL, SQLITE
from tests.support.further_cases import list_further_cases


def test_the_first_case_on_a_server_stays() -> None:
    """Of a test on both databases all cases but the first on PostgreSQL are further ones; of another test none are."""
    both = [("both", SQLITE), ("both", POSTGRESQL), ("both", SQLITE), ("both", POSTGRESQL), ("both", POSTGRESQL)]
    server = [("server", POSTGRESQL), ("server", POSTGRESQL)]
    assert list_further_cases([*both, *server, ("none", None), ("none", None)]) == [3, 4]
