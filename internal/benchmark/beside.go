package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/redis/go-redis/v9"
)

// countOnce is what anybody would write first: remember the voter, count the entry.
const countOnce = `
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
return 1`

// serveBeside is one of the servers that Joute is measured beside, in a process of its
// own: `empty` answers and does nothing, `plain` runs one script a request by go-redis,
// checks no pass, keeps no ledger, and repeats no answer. It ends with ctx.
func serveBeside(ctx context.Context, kind, redisAddr string, out io.Writer) error {
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	switch kind {
	case "empty":
		app.Post("/", func(c *fiber.Ctx) error { return c.SendStatus(fiber.StatusCreated) })
	case "plain":
		client := redis.NewClient(&redis.Options{Addr: redisAddr, PoolSize: connections, DisableIdentity: true})
		defer client.Close()
		script := redis.NewScript(countOnce)
		app.Post("/", func(c *fiber.Ctx) error {
			var body struct{ Voter, Entry string }
			if err := json.Unmarshal(c.Body(), &body); err != nil {
				return err
			}
			counted, err := script.Run(context.Background(), client, []string{"{c}:voters", "{c}:tally"}, body.Voter, strings.Clone(body.Entry)).Int()
			if err != nil {
				return err
			}
			return c.Status(fiber.StatusCreated).JSON(fiber.Map{"counted": counted, "entry": body.Entry})
		})
	default:
		return fmt.Errorf("-serve is empty or plain, not %q", kind)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "listening on http://%s\n", l.Addr())
	context.AfterFunc(ctx, func() { _ = l.Close() }) // who measures has gone: nobody is answered any more
	if err := app.Listener(l); ctx.Err() == nil {
		return err
	}
	return nil
}
