import pytest
from werkzeug.routing import Map, RequestRedirect, Rule
from werkzeug.test import create_environ


@pytest.mark.parametrize("url", ["http://example.org/", "/relative", "http://example.org/?a=b&c=d"])
def test_with_and_without_a_request_the_response_is_the_same(url):
    redirect = RequestRedirect(url)
    bare, given, none = redirect.get_response(), redirect.get_response(create_environ()), redirect.get_response(None)
    for response in (bare, given, none):
        assert (response.status_code, response.headers["Location"], response.data) == (308, bare.headers["Location"], bare.data)


def test_a_redirect_that_routing_raises_makes_a_response():
    adapter = Map([Rule("/folder/", endpoint="folder")]).bind("example.org", "/")
    with pytest.raises(RequestRedirect) as caught:
        adapter.match("/folder")
    assert caught.value.get_response().headers["Location"] == "http://example.org/folder/"


def test_a_redirect_is_still_an_application():
    seen = []
    body = RequestRedirect("http://example.org/new")(create_environ(), lambda status, headers: seen.append(status))
    assert b"example.org/new" in b"".join(body)
    assert seen == ["308 PERMANENT REDIRECT"]
