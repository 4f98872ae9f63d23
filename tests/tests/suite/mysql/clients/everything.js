// What services do with mysql2: texts, prepared statements, pools, transactions.
const mysql = require(process.env.MODULES + '/mysql2/promise');

const where = {
  host: '127.0.0.1', port: Number(process.env.PORT), user: process.env.USER,
  password: process.env.PASSWORD, database: process.env.DATABASE, dateStrings: true,
  supportBigNumbers: true, bigNumberStrings: true,
};

async function main() {
  const connection = await mysql.createConnection({ ...where, multipleStatements: true });
  const show = (rows) => console.log(JSON.stringify(rows));
  show((await connection.query('SELECT id, name, birthday, note FROM users WHERE id IN (?, ?)', [1, 5]))[0]);
  for (const id of [1, 2]) {
    show((await connection.execute('SELECT * FROM kinds WHERE id = ?', [id]))[0]);
  }
  show((await connection.execute('SELECT ? AS a, ? AS b, ? AS c', ['text', null, 1.5]))[0]);
  show((await connection.query('SELECT 1 AS a; SELECT 2 AS b; DO 0'))[0]);
  await connection.beginTransaction();
  const [changed] = await connection.execute('UPDATE orders SET item = CONCAT(item, ?) WHERE id < ?', ['', 10]);
  console.log(changed.affectedRows, changed.changedRows, changed.info);
  await connection.rollback();
  await connection.query('SELECT nothing FROM nowhere').catch((error) => console.log(error.errno, error.sqlState, error.message));
  await connection.ping();
  await connection.end();

  const pool = mysql.createPool({ ...where, connectionLimit: 3 });
  const counts = await Promise.all([...Array(12).keys()].map((id) =>
    pool.execute('SELECT COUNT(*) AS n FROM orders WHERE user_id = ?', [id + 1])));
  show(counts.map(([rows]) => rows[0].n));
  await pool.end();
}

main().catch((error) => { console.log(error); process.exit(1); });
