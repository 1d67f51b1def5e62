// A server that speaks the protocol of MongoDB, for tests: FerretDB with its data in SQLite files.
//
// It listens on a free port of loopback and prints its URL. It ends, and removes its data, when standard input is
// closed: so it never outlives the test that started it.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	folder, err := os.MkdirTemp("", "databay-mongo-")
	if err != nil {
		log.Fatal(err)
	}
	err = serve(folder)
	os.RemoveAll(folder)
	if err != nil {
		log.Fatal(err)
	}
}

func serve(folder string) error {
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:0"},
		Handler:   "sqlite",
		SQLiteURL: "file:" + folder + "/",
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		stop()
	}()
	fmt.Println(server.MongoDBURI())
	return server.Run(ctx)
}
