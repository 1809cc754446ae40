from werkzeug.exceptions import NotFound
from werkzeug.routing import RequestRedirect


def test_a_redirect_makes_a_response_without_a_request():
    response = RequestRedirect("http://example.org/new").get_response()
    assert response.headers["Location"] == "http://example.org/new"


def test_a_redirect_makes_a_response_for_a_request():
    response = RequestRedirect("http://example.org/new").get_response({})
    assert response.status_code == 308


def test_another_exception_makes_a_response_without_a_request():
    assert NotFound().get_response().status_code == 404
