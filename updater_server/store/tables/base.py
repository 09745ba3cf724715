"""What every table shares: the metadata with its naming of constraints, and the wide integer."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every table of this database; the names of constraints are those that the migrations gave."""

Big = BigInteger().with_variant(Integer, "sqlite")
"""64 bits; on SQLite the integer that a row id can be."""
