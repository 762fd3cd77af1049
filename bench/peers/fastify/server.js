// The same API as it is written with Fastify: schemas for the answers, a pool of connections, named statements.
import fastify from "fastify";
import pg from "pg";

// bigint as a number, as an API of small keys gives it.
pg.types.setTypeParser(20, Number);

const columns = "id, title, category, price, stock, maker, updated_at";
const item = {
  type: "object",
  properties: {
    id: { type: "integer" },
    title: { type: "string" },
    category: { type: "string" },
    price: { type: "number" },
    stock: { type: "integer" },
    maker: { type: ["string", "null"] },
    updated_at: { type: "string", format: "date-time" },
  },
};

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 16 });
const app = fastify();

app.get("/row/:id", { schema: { response: { 200: item } } }, async (request, reply) => {
  const text = `select ${columns} from items where id = $1`;
  const { rows } = await pool.query({ name: "row", text, values: [request.params.id] });
  return rows[0] ?? reply.code(404).send();
});

app.get("/list/:below", { schema: { response: { 200: { type: "array", items: item } } } }, async (request) => {
  const text = `select ${columns} from items where id < $1 order by id desc limit 50`;
  const { rows } = await pool.query({ name: "list", text, values: [request.params.below] });
  return rows;
});

await app.listen({ host: "127.0.0.1", port: Number(process.env.PORT) });
