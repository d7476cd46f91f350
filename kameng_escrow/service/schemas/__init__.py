"""What requests and answers look like: Pydantic models, a module a topic. From them comes the OpenAPI description.

Names are those of Python, SQL and the chain's events. Amounts are integers in base units as decimal strings, since a
JSON number past 2^53 is another one to most readers. Moments are Unix seconds of the chain where the chain decides;
what our own clock says is RFC 3339 in UTC.
"""
