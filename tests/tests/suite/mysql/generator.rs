//! Statements made at random, the same ones in every run.
//!
//! Owns the grammar of what is made: queries of every shape over the shop, writes, and texts that
//! a careless lexer would cut in other places than the server does.

/// The columns of each table of the shop.
const TABLES: &[(&str, &[&str])] = &[
    ("users", &["id", "name", "email", "card_number"]),
    ("orders", &["id", "user_id", "total", "note"]),
    ("products", &["id", "title", "price"]),
    ("secret", &["a", "b"]),
    ("t", &["a", "b", "c"]),
    ("user_mails", &["id", "mail"]),
    ("oracle_sales.orders", &["id", "amount"]),
];

/// Makes one statement after the other.
pub(super) struct Generator {
    state: u64,
}

/// What is in sight while an expression is made: aliases with columns.
type Sight = Vec<(String, Vec<String>)>;

impl Generator {
    pub(super) const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    fn below(&mut self, bound: usize) -> usize {
        // Xorshift: good enough to choose, and the same everywhere.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state >> 33).unwrap_or_default() % bound
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among.get(self.below(among.len())).copied().unwrap_or_default()
    }

    pub(super) fn statement(&mut self) -> String {
        let text = match self.below(14) {
            0..=7 => self.query(0),
            8 => self.insert(),
            9 => self.update(),
            10 => self.delete(),
            11 => self.odd(),
            12 => self.query(0) + self.pick(&[" FOR UPDATE", " LOCK IN SHARE MODE", ""]),
            _ => self.command(),
        };
        self.disguise(&text)
    }

    fn table(&mut self) -> (String, Vec<String>) {
        let (name, columns) =
            TABLES.get(self.below(TABLES.len())).copied().unwrap_or(("t", &["a"]));
        let written = match self.below(4) {
            0 => format!("`{}`", name.replace('.', "`.`")),
            1 if !name.contains('.') => format!("oracle.{name}"),
            _ => name.to_owned(),
        };
        (written, columns.iter().map(|column| (*column).to_owned()).collect())
    }

    fn source(&mut self, depth: usize, sight: &mut Sight) -> String {
        let alias = format!("x{}", sight.len());
        if depth < 2 && self.below(5) == 0 {
            let (query, columns) = self.named_query(depth + 1);
            sight.push((alias.clone(), columns));
            return format!("({query}) {alias}");
        }
        let (table, columns) = self.table();
        sight.push((alias.clone(), columns));
        let hint = self.pick(&["", "", "", " USE INDEX ()", " IGNORE INDEX FOR JOIN (PRIMARY)"]);
        format!("{table} {}{alias}{hint}", self.pick(&["", "AS "]))
            .replace(" IGNORE INDEX FOR JOIN (PRIMARY)", "")
    }

    fn from(&mut self, depth: usize, sight: &mut Sight) -> String {
        let mut text = self.source(depth, sight);
        for _ in 0..self.below(3) {
            match self.below(6) {
                0 => text += &format!(", {}", self.source(depth, sight)),
                1 => text += &format!(" STRAIGHT_JOIN {}", self.source(depth, sight)),
                2 => text += &format!(" CROSS JOIN {}", self.source(depth, sight)),
                3 => text += &format!(" NATURAL JOIN {}", self.source(depth, sight)),
                _ => {
                    let kind = self.pick(&["JOIN", "LEFT JOIN", "RIGHT OUTER JOIN", "INNER JOIN"]);
                    text += &format!(" {kind} {}", self.source(depth, sight));
                    text += &format!(" ON {}", self.condition(depth + 1, sight));
                }
            }
        }
        text
    }

    fn column(&mut self, sight: &Sight) -> String {
        let Some((alias, columns)) = sight.get(self.below(sight.len().max(1))) else {
            return "1".into();
        };
        let Some(column) = columns.get(self.below(columns.len().max(1))) else {
            return "1".into();
        };
        match self.below(4) {
            0 => column.to_uppercase(),
            1 => format!("`{alias}`.`{column}`"),
            _ => format!("{alias}.{column}"),
        }
    }

    fn expression(&mut self, depth: usize, sight: &Sight) -> String {
        if depth > 3 {
            return self.column(sight);
        }
        match self.below(22) {
            0 => {
                self.pick(&["1", "'a'", "NULL", "1.5", ".5", "1e2", "0x41", "x'41'", "N'c'"]).into()
            }
            1 => format!("CONCAT({}, '-', {})", self.column(sight), self.column(sight)),
            2 => format!("UPPER({})", self.expression(depth + 1, sight)),
            3 => format!("COALESCE({}, {})", self.column(sight), self.expression(depth + 1, sight)),
            4 => format!(
                "CASE WHEN {} THEN {} ELSE {} END",
                self.condition(depth + 1, sight),
                self.column(sight),
                self.column(sight)
            ),
            5 => format!("({})", self.scalar(depth + 1)),
            6 => format!("IF({}, {}, NULL)", self.condition(depth + 1, sight), self.column(sight)),
            7 => format!("{} + {}", self.column(sight), self.column(sight)),
            8 => format!("CAST({} AS CHAR(60))", self.column(sight)),
            9 => format!("{} COLLATE utf8mb4_bin", self.column(sight)),
            10 => format!("({})", self.expression(depth + 1, sight)),
            11 => format!("{} MOD 7", self.column(sight)),
            12 => format!("!{}", self.column(sight)),
            13 => format!("EXISTS ({})", self.query(depth + 1)),
            14 => format!("JSON_OBJECT('k', {})", self.column(sight)),
            15 => format!("LEFT({}, 20)", self.column(sight)),
            16 => format!("GREATEST({}, {})", self.column(sight), self.column(sight)),
            _ => self.column(sight),
        }
    }

    fn condition(&mut self, depth: usize, sight: &Sight) -> String {
        let one = self.column(sight);
        match self.below(12) {
            0 => format!("{one} = {}", self.column(sight)),
            1 => format!("{one} LIKE '%a%'"),
            2 => format!("{one} IS NOT NULL"),
            3 if depth < 3 => format!("{one} IN ({})", self.scalar(depth + 1)),
            4 if depth < 3 => format!("EXISTS ({})", self.query(depth + 1)),
            5 => format!("{one} REGEXP '^~' && 1"),
            6 => format!("NOT {one} <=> NULL"),
            7 if depth < 3 => {
                format!(
                    "({} OR {})",
                    self.condition(depth + 1, sight),
                    self.condition(depth + 1, sight)
                )
            }
            8 => format!("{one} BETWEEN '' AND '~~'"),
            9 if depth < 3 => format!("{one} = ANY ({})", self.scalar(depth + 1)),
            _ => self.pick(&["1", "1=1", "true", "2 > 1"]).into(),
        }
    }

    /// A query of one column and at most one row.
    fn scalar(&mut self, depth: usize) -> String {
        let mut sight = Sight::new();
        let from = self.from(depth + 1, &mut sight);
        let wanted = self.pick(&["MAX", "MIN", "GROUP_CONCAT"]);
        format!("SELECT {wanted}({}) FROM {from}", self.column(&sight))
    }

    fn named_query(&mut self, depth: usize) -> (String, Vec<String>) {
        let mut sight = Sight::new();
        let from = self.from(depth, &mut sight);
        let count = 1 + self.below(3);
        let columns: Vec<String> = (0..count).map(|index| format!("c{index}")).collect();
        let items: Vec<String> = columns
            .iter()
            .map(|column| format!("{} AS {column}", self.expression(depth + 1, &sight)))
            .collect();
        (format!("SELECT {} FROM {from}", items.join(", ")), columns)
    }

    fn query(&mut self, depth: usize) -> String {
        match self.below(10) {
            0 if depth < 2 => {
                let (query, columns) = self.named_query(depth + 1);
                let name = self.pick(&["w", "users", "secret", "t"]);
                let sight: Sight = vec![("q".into(), columns)];
                format!("WITH {name} AS ({query}) SELECT {} FROM {name} q", self.column(&sight))
            }
            1 if depth < 2 => {
                format!("{} UNION ALL {}", self.one_column(depth + 1), self.one_column(depth + 1))
            }
            2 => {
                let (table, _) = self.table();
                format!("SELECT * FROM {table}")
            }
            3 => format!("TABLE {}", self.pick(&["users", "secret", "t", "products"])),
            _ => self.select(depth),
        }
    }

    fn one_column(&mut self, depth: usize) -> String {
        let mut sight = Sight::new();
        let from = self.from(depth, &mut sight);
        format!("SELECT {} FROM {from}", self.expression(depth + 1, &sight))
    }

    fn select(&mut self, depth: usize) -> String {
        let mut sight = Sight::new();
        let from = self.from(depth, &mut sight);
        let options = self.pick(&["", "", "DISTINCT ", "SQL_NO_CACHE ", "SQL_CALC_FOUND_ROWS "]);
        let count = 1 + self.below(3);
        let items: Vec<String> = (0..count)
            .map(|_| match self.below(8) {
                0 => "x0.*".to_owned(),
                _ => self.expression(depth + 1, &sight),
            })
            .collect();
        let mut text = format!("SELECT {options}{} FROM {from}", items.join(", "));
        if self.below(2) == 0 {
            text += &format!(" WHERE {}", self.condition(depth + 1, &sight));
        }
        if self.below(5) == 0 {
            text += &format!(" GROUP BY {}", self.column(&sight));
        }
        if self.below(4) == 0 {
            text += &format!(" ORDER BY {}", self.expression(depth + 2, &sight));
        }
        text + self.pick(&["", "", " LIMIT 5", " LIMIT 1, 2"])
    }

    fn insert(&mut self) -> String {
        let verb = self.pick(&["INSERT INTO", "REPLACE INTO", "INSERT IGNORE INTO"]);
        match self.below(3) {
            0 => format!("{verb} t (a) VALUES ((SELECT MAX(a) FROM secret)), ('x')"),
            1 => format!("{verb} t (a) {}", self.one_column(1)),
            _ => format!("{verb} t SET a = ({})", self.scalar(1)),
        }
    }

    fn update(&mut self) -> String {
        match self.below(3) {
            0 => format!("UPDATE t SET b = ({}) WHERE a = 'x'", self.scalar(1)),
            1 => "UPDATE t, secret SET t.c = secret.b WHERE t.a = secret.a".into(),
            _ => "UPDATE t x JOIN orders o ON o.note = x.a SET x.b = o.total".into(),
        }
    }

    fn delete(&mut self) -> String {
        match self.below(4) {
            0 => format!("DELETE FROM t WHERE a = 'x' AND b IN ({})", self.scalar(1)),
            1 => "DELETE t FROM t JOIN secret s ON s.b = t.a".into(),
            2 => "DELETE FROM x USING t AS x, products p WHERE p.title = x.a".into(),
            _ => "DELETE FROM t WHERE a = 'x' ORDER BY b LIMIT 1".into(),
        }
    }

    /// Texts in which a careless lexer sees another end.
    fn odd(&mut self) -> String {
        let (table, _) = self.table();
        match self.below(12) {
            0 => format!("SELECT 1.0FROM {table}"),
            1 => format!("SELECT '\\' , (SELECT MAX(a) FROM secret), ' FROM {table}"),
            2 => format!("SELECT 1 /*! , (SELECT MAX(a) FROM secret) */ FROM {table}"),
            3 => format!("SELECT 1 /*M!100100 , (SELECT MAX(a) FROM secret) */ FROM {table}"),
            4 => format!("SELECT 1 /*!99999 , (SELECT MAX(a) FROM secret) */ FROM {table}"),
            5 => format!("SELECT 1 /*!50000 , '*/', (SELECT MAX(a) FROM secret) */ FROM {table}"),
            6 => format!("SELECT 1 --1 FROM {table}"),
            7 => format!("SELECT 1 -- x\n FROM {table}"),
            8 => format!("SELECT \"'\", '\"', 1 # (SELECT 1 FROM secret)\n FROM {table}"),
            9 => format!("SELECT _utf8mb4'a', `id` FROM {table}"),
            10 => format!("SELECT 1 /* /* */ FROM {table} /*/ FROM secret */"),
            _ => format!("SELECT 1e0,.5,0b1,b'1' FROM{table}"),
        }
    }

    fn command(&mut self) -> String {
        let (table, _) = self.table();
        match self.below(6) {
            0 => format!("SHOW CREATE TABLE {table}"),
            1 => format!("SHOW COLUMNS FROM {table}"),
            2 => format!("DESCRIBE {table}"),
            3 => format!("EXPLAIN {}", self.query(1)),
            4 => format!("DO ({})", self.scalar(1)),
            _ => format!("SET @v = ({})", self.scalar(1)),
        }
    }

    /// The same statement with other blanks and comments.
    fn disguise(&mut self, text: &str) -> String {
        match self.below(6) {
            0 => text.replace(" FROM ", "/**/FROM/* x */"),
            1 => text.replace(" FROM ", "\n\tFrom\r\n"),
            2 => text.replacen("SELECT ", "SELECT /*!40001 SQL_NO_CACHE */ ", 1),
            _ => text.to_owned(),
        }
    }
}
