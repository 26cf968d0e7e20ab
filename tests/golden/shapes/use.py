"""What users count on: exact values, absence apart from null, unknown values that survive, bounds that hold."""

from decimal import Decimal
from uuid import UUID

from golden.http.models import Account, AccountRequest, Card, Closed, Payment, Range, State, Tree
from golden.runtime.models import Codec
from pydantic import ValidationError

WIRE = (b'{"id":"6f0b1f0e-8c0a-4d8e-9f7a-000000000001","balance":0.10,"state":"frozen","nickname":null,'
        b'"limits":{"day":3},"extra":[1]}')


def refused(kind: type, text: bytes) -> bool:
    try:
        kind.from_json(text)
    except ValidationError:
        return True
    return False


account = Account.from_json(WIRE)
assert account.id == UUID("6f0b1f0e-8c0a-4d8e-9f7a-000000000001")
assert account.balance == Decimal("0.1")
assert account.state == State("frozen") and not account.state.is_known
assert account.note is None and account.nickname is None
assert b'"note"' not in account.to_json() and b'"nickname":null' in account.to_json()
assert b'"state":"frozen"' in account.to_json() and b'"extra":[1]' in account.to_json()
assert refused(Account, WIRE.replace(b'"nickname":null,', b""))
assert refused(Account, WIRE.replace(b'"extra"', b'"note":null,"extra"'))
assert refused(Account, WIRE.replace(b'"day":3', b'"day":-1'))
request = AccountRequest(balance=Decimal("12.50"), state=State.ON_HOLD, nickname="n", password="p")
assert b'"password":"p"' in request.to_json()

payments: Codec[Payment] = Codec(Payment)
card = payments.from_json(b'{"kind":"card","token":"tok_1"}')
assert isinstance(card, Card)
unknown = payments.from_json(b'{"kind":"cheque","number":7}')
assert payments.to_json(unknown) == b'{"kind":"cheque","number":7}'
tree = Tree.from_json(b'{"value":1,"children":[{"value":{"a":null},"children":[]}]}')
assert tree.children and tree.children[0].value == {"a": None}
assert Codec[Range](Range).from_json(b"[1,2]") == (1, 2)
assert refused(Closed, b'{"other":1}')
