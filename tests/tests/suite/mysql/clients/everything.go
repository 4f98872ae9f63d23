// What services do with go-sql-driver/mysql: texts, parameters in the text and prepared, transactions.
package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

func show(rows *sql.Rows, err error) {
	if err != nil {
		fmt.Println(err)
		return
	}
	defer rows.Close()
	columns, _ := rows.ColumnTypes()
	for _, column := range columns {
		fmt.Print(column.Name(), " ", column.DatabaseTypeName(), "; ")
	}
	fmt.Println()
	for {
		for rows.Next() {
			values := make([]interface{}, len(columns))
			for index := range values {
				values[index] = new(sql.RawBytes)
			}
			if err := rows.Scan(values...); err != nil {
				fmt.Println(err)
				return
			}
			for _, value := range values {
				fmt.Printf("%q ", *value.(*sql.RawBytes))
			}
			fmt.Println()
		}
		if !rows.NextResultSet() {
			fmt.Println(rows.Err())
			return
		}
		columns, _ = rows.ColumnTypes()
	}
}

func main() {
	for _, options := range []string{"", "?interpolateParams=true&parseTime=true", "?multiStatements=true&clientFoundRows=true&columnsWithAlias=true"} {
		where := fmt.Sprintf("%s:%s@tcp(127.0.0.1:%s)/%s%s", os.Getenv("USER"), os.Getenv("PASSWORD"),
			os.Getenv("PORT"), os.Getenv("DATABASE"), options)
		db, err := sql.Open("mysql", where)
		if err != nil {
			panic(err)
		}
		db.SetMaxOpenConns(1)
		if err := db.Ping(); err != nil {
			panic(err)
		}
		show(db.Query("SELECT id, name, birthday, note FROM users WHERE id IN (?, ?)", 1, 5))
		show(db.Query("SELECT * FROM kinds WHERE id < ? ORDER BY id", 3))
		show(db.Query("SELECT ?, ?, ?, ?", "text", nil, 1.5, []byte{0, 255, 39, 92}))
		show(db.Query("SELECT 1; SELECT 2, 3"))
		show(db.Query("SELECT nothing FROM nowhere"))
		tx, _ := db.BeginTx(context.Background(), &sql.TxOptions{Isolation: sql.LevelSerializable})
		result, err := tx.Exec("UPDATE orders SET item = CONCAT(item, ?) WHERE id < ?", "", 10)
		if err == nil {
			affected, _ := result.RowsAffected()
			fmt.Println(affected)
		}
		result, err = tx.Exec("INSERT INTO orders (user_id, item, amount, ordered_at) VALUES (?, ?, ?, ?)", 1, "ä🦆", 2.5,
			time.Date(2024, 2, 29, 1, 2, 3, 0, time.UTC))
		fmt.Println(err, tx.Rollback())
		statement, _ := db.Prepare("SELECT COUNT(*) FROM orders WHERE user_id = ?")
		for user := 1; user < 6; user++ {
			show(statement.Query(user))
		}
		statement.Close()
		db.Close()
	}
}
