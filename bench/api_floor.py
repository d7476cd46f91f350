"""The floor: the same framework and server with an answer that is always the same, who knows nobody and reads nothing.

python -m bench.api_floor PORT
"""

import sys

import uvicorn
from fastapi import FastAPI, Response

BYTES = 2_500  # about an order's


def main() -> None:
    app = FastAPI()
    body = b'{"order":"' + b"0" * BYTES + b'"}'

    @app.get("/fixed")
    async def fixed() -> Response:
        return Response(body, media_type="application/json")

    config = uvicorn.Config(app, port=int(sys.argv[1]), log_config=None, access_log=False, server_header=False)
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main()
