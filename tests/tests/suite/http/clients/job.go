package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
)

func do(method, path string) {
	request, err := http.NewRequest(method, os.Getenv("BASE")+path, nil)
	if err != nil {
		panic(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	body, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.Proto, answer.StatusCode, string(body))
}

func main() {
	do("GET", "/show/it")
	do("DELETE", "/users/7")
	do("GET", "/people/json")
}
