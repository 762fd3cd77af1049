"""The same API as it is written with FastAPI: a model for the answers, and asyncpg's pool of connections."""

import os
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import uvicorn
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

COLUMNS = "id, title, category, price, stock, maker, updated_at"


class Item(BaseModel):
    id: int
    title: str
    category: str
    price: float
    stock: int
    maker: str | None
    updated_at: datetime


@asynccontextmanager
async def lifespan(app: FastAPI):
    app.state.pool = await asyncpg.create_pool(os.environ["DATABASE_URL"], min_size=4, max_size=16)
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


@app.get("/row/{id}")
async def row(id: int) -> Item:
    found = await app.state.pool.fetchrow(f"select {COLUMNS} from items where id = $1", id)
    if found is None:
        raise HTTPException(404)
    return Item(**found)


@app.get("/list/{below}")
async def list_below(below: int) -> list[Item]:
    sql = f"select {COLUMNS} from items where id < $1 order by id desc limit 50"
    return [Item(**found) for found in await app.state.pool.fetch(sql, below)]


uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), log_level="warning", access_log=False)
