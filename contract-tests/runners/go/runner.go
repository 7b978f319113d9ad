// A runner in Go, written from docs/write-a-runner-in-any-language.md with the standard library alone. It offers one
// capability of its own, text.statistics, and the fixtures of the kit, whose file is copied next to it:
//
//	contract-test fixtures --language go
//	go build -o runner . && contract-test run --command ./runner
package main

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

const (
	version      = "1.0.0"
	slots        = 8
	maxBodyBytes = 4 << 20
	drainTime    = 25 * time.Second
)

type object = map[string]any

// capability is what is published, and what runs. What runs ends when its context does.
type capability struct {
	published object
	run       func(ctx context.Context, input object) (object, error)
}

func environment(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}

var (
	name        = environment("RUNNER_NAME", "go-runner")
	jobforgeURL = strings.TrimRight(environment("JOBFORGE_URL", "http://127.0.0.1:3002"), "/")
	address     = environment("HOST", "127.0.0.1") + ":" + environment("PORT", "3000")
	started     = time.Now()
)

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func textStatistics(_ context.Context, input object) (object, error) {
	text := input["text"].(string)
	return object{"characters": utf8.RuneCountInString(text), "words": len(strings.Fields(text))}, nil
}

func offered() []capability {
	text, whole := object{"type": "string"}, object{"type": "integer"}
	all := []capability{{
		object{
			"id": "text.statistics", "name": "text.statistics", "version": version,
			"description":       "Counts characters and words.",
			"supportedJobTypes": []string{}, "effects": "none", "maxConcurrency": slots, "timeoutMs": 30_000,
			"inputSchema": object{"type": "object", "properties": object{"text": text}, "required": []string{"text"}},
			"outputSchema": object{
				"type": "object", "properties": object{"characters": whole, "words": whole},
				"required": []string{"characters", "words"},
			},
		},
		textStatistics,
	}}
	for _, published := range FixtureCapabilities(slots) {
		id := published["id"].(string)
		all = append(all, capability{published, func(ctx context.Context, input object) (object, error) {
			return RunFixture(ctx, id, input, nil)
		}})
	}
	return all
}

// describe is what the registration and the manifest have in common.
func describe(capabilities []capability) object {
	published := []object{}
	for _, each := range capabilities {
		published = append(published, each.published)
	}
	return object{
		"name": name, "version": version, "contractVersion": "1.0.0", "maxConcurrency": slots,
		"features": []string{}, "capabilities": published,
	}
}

func main() {
	capabilities := offered()
	executions := newExecutions(capabilities)
	session := newSession(capabilities, executions)
	server := &http.Server{Addr: address, Handler: routes(capabilities, executions, session), ReadHeaderTimeout: 30 * time.Second}

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
	}()
	go session.run()

	<-signals
	go func() {
		<-signals
		os.Exit(1)
	}()
	// Leave first, so that nothing new is sent; then finish what runs.
	session.leave()
	executions.drain()
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	_ = server.Shutdown(ctx)
}
