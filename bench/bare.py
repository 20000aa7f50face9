"""The bare Flask route that the intake is measured against: it reads the body and answers 200."""

from flask import Flask, request


def create_app() -> Flask:
    app = Flask(__name__)

    @app.post("/webhooks/bare")
    def bare() -> tuple[str, int]:
        request.get_data()
        return "", 200

    return app
