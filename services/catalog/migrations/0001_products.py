"""Products, their prices, and the search index."""

from alembic import op

from services.platform import tables

revision = "0001"
down_revision = None

PRODUCTS = """
CREATE TABLE products (
    product_id text PRIMARY KEY,
    sku text NOT NULL CONSTRAINT products_sku UNIQUE,
    name text NOT NULL,
    description text NOT NULL,
    categories text[] NOT NULL,
    attributes jsonb NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'active', 'discontinued')),
    image_urls text[] NOT NULL,
    weight_grams integer CHECK (weight_grams > 0),
    handling_time interval,
    version bigint NOT NULL CHECK (version >= 1),
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
)
"""
PRICES = """
CREATE TABLE prices (
    product_id text NOT NULL REFERENCES products,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    version bigint NOT NULL CHECK (version >= 1),
    amount bigint NOT NULL CHECK (amount > 0),
    list_amount bigint CHECK (list_amount > amount),
    effective_from timestamptz NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (product_id, currency, version)
)
"""
NEVER_OVERWRITTEN = """
CREATE FUNCTION prices_are_never_overwritten() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'a price is never overwritten: % refused', TG_OP; END $$
"""
REFUSE_CHANGES = """
CREATE TRIGGER never_overwritten BEFORE UPDATE OR DELETE OR TRUNCATE ON prices
FOR EACH STATEMENT EXECUTE FUNCTION prices_are_never_overwritten()
"""
SEARCH_INDEX = """
CREATE TABLE search_index (
    product_id text PRIMARY KEY REFERENCES products,
    product_version bigint NOT NULL,
    document tsvector NOT NULL,
    price bigint NOT NULL,
    refreshed_at timestamptz NOT NULL
)
"""
STOCK = """
CREATE TABLE search_stock (
    product_id text NOT NULL,
    warehouse_id text NOT NULL,
    available bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (product_id, warehouse_id)
)
"""


def upgrade() -> None:
    """Create them."""
    tables.create_outbox(op.get_bind())
    tables.create_inbox(op.get_bind())
    tables.create_idempotency_keys(op.get_bind())
    for statement in (PRODUCTS, PRICES, NEVER_OVERWRITTEN, REFUSE_CHANGES, SEARCH_INDEX, STOCK):
        op.execute(statement)
    op.execute("CREATE INDEX products_newest ON products (status, created_at DESC, product_id DESC)")
    op.execute("CREATE INDEX products_categories ON products USING gin (categories)")
    op.execute("CREATE INDEX prices_in_force ON prices (product_id, currency, effective_from DESC, version DESC)")
    op.execute("CREATE INDEX prices_coming ON prices (effective_from)")
    op.execute("CREATE INDEX search_index_document ON search_index USING gin (document)")
