// What services do with JDBC: texts, prepared statements on client and server, batches, metadata.
import java.sql.*;

class Everything {
    public static void main(String[] arguments) throws Exception {
        String base = "jdbc:mariadb://127.0.0.1:" + System.getenv("PORT") + "/" + System.getenv("DATABASE");
        for (String options : new String[] {"", "?useServerPrepStmts=true", "?useCursorFetch=true&defaultFetchSize=7", "?allowMultiQueries=true"}) {
            try (Connection connection = DriverManager.getConnection(base + options, System.getenv("USER"), System.getenv("PASSWORD"))) {
                run(connection);
            }
        }
    }

    static void run(Connection connection) throws SQLException {
        System.out.println(connection.getMetaData().getDatabaseProductVersion());
        System.out.println(connection.getCatalog());
        try (PreparedStatement statement = connection.prepareStatement("SELECT id, name, birthday, note FROM users WHERE id IN (?, ?) OR name = ?")) {
            for (int id = 1; id < 4; id++) {
                statement.setInt(1, id);
                statement.setLong(2, id + 4);
                statement.setString(3, null);
                print(statement.executeQuery());
            }
        }
        try (Statement statement = connection.createStatement()) {
            print(statement.executeQuery("SELECT id, t, tu, s, m, b, bu, f, d, n, dt, dti, c, v, tx, e, st FROM kinds ORDER BY id"));
            print(statement.executeQuery("SELECT id, item, amount, ordered_at FROM orders ORDER BY id LIMIT 30"));
        }
        connection.setAutoCommit(false);
        try (PreparedStatement statement = connection.prepareStatement("INSERT INTO old_reports VALUES (?, ?)")) {
            for (int id = 81; id < 85; id++) {
                statement.setInt(1, id);
                statement.setString(2, "ä🦆");
                statement.addBatch();
            }
            for (int count : statement.executeBatch()) System.out.print(count + " ");
            System.out.println();
        }
        connection.rollback();
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            statement.executeQuery("SELECT nothing FROM nowhere");
        } catch (SQLException error) {
            System.out.println(error.getErrorCode() + " " + error.getSQLState());
        }
        try (ResultSet columns = connection.getMetaData().getColumns(connection.getCatalog(), null, "users", null)) {
            while (columns.next()) System.out.println(columns.getString(4) + " " + columns.getInt(5));
        }
    }

    static void print(ResultSet rows) throws SQLException {
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
            for (int column = 1; column <= columns; column++) System.out.print(rows.getString(column) + "|");
            System.out.println();
        }
        rows.close();
    }
}
