package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"sync/atomic"
	"time"
)

// failure is what an execution fails with: it becomes an ErrorEnvelope.
type failure struct {
	code, category, message string
	status                  int
	retryable               bool
	details                 []object
}

func (f *failure) envelope() object {
	details := f.details
	if details == nil {
		details = []object{}
	}
	return object{
		"id": newID(), "timestamp": now(), "service": name, "contractVersion": "1.0.0", "severity": "error",
		"code": f.code, "category": f.category, "message": f.message, "retryable": f.retryable, "details": details,
	}
}

func newID() string {
	random := make([]byte, 16)
	_, _ = rand.Read(random)
	return hex.EncodeToString(random)
}

func invalid(message string, details ...object) *failure {
	return &failure{"VALIDATION_ERROR", "VALIDATION_ERROR", message, 400, false, details}
}

type request struct {
	JobID        string `json:"jobId"`
	CapabilityID string `json:"capabilityId"`
	Payload      object `json:"payload"`
	TimeoutMs    *int64 `json:"timeoutMs"`
}

func readRequest(body []byte) (*request, *failure) {
	if !json.Valid(body) {
		return nil, &failure{"INVALID_JSON", "VALIDATION_ERROR", "the body is not JSON", 400, false, nil}
	}
	var asked request
	decoder := json.NewDecoder(bytes.NewReader(body))
	if err := decoder.Decode(&asked); err != nil || asked.JobID == "" || asked.CapabilityID == "" || asked.Payload == nil {
		return nil, invalid("the body is no RunnerExecutionRequest")
	}
	return &asked, nil
}

// fits knows the part of JSON Schema that this runner's own schemas use: the types of members, and minimum.
func fits(rule object, value any) bool {
	switch rule["type"] {
	case "string":
		_, ok := value.(string)
		return ok
	case "boolean":
		_, ok := value.(bool)
		return ok
	default:
		number, ok := value.(float64)
		minimum, bounded := rule["minimum"].(int)
		return ok && number == math.Trunc(number) && (!bounded || number >= float64(minimum))
	}
}

func inputFaults(schema, input object) []object {
	details := []object{}
	for member, rule := range schema["properties"].(object) {
		if !fits(rule.(object), input[member]) {
			message := fmt.Sprintf("expected %s", rule.(object)["type"])
			details = append(details, object{"path": []string{"input", member}, "message": message})
		}
	}
	return details
}

type executions struct {
	byID     map[string]capability
	slots    chan struct{}
	draining atomic.Bool
}

func newExecutions(capabilities []capability) *executions {
	byID := map[string]capability{}
	for _, each := range capabilities {
		byID[each.published["id"].(string)] = each
	}
	return &executions{byID: byID, slots: make(chan struct{}, slots)}
}

func (e *executions) running() int { return len(e.slots) }

func (e *executions) drain() { e.draining.Store(true) }

// run answers a request with its output or with why there is none.
func (e *executions) run(asked *request) (object, *failure) {
	found, known := e.byID[asked.CapabilityID]
	if !known {
		message := "this runner does not offer " + asked.CapabilityID
		return nil, &failure{"CAPABILITY_NOT_FOUND", "RESOURCE_NOT_FOUND", message, 404, false, nil}
	}
	if details := inputFaults(found.published["inputSchema"].(object), asked.Payload); len(details) > 0 {
		return nil, invalid("the input does not match the schema", details...)
	}
	if e.draining.Load() {
		return nil, &failure{"RUNNER_DRAINING", "SERVICE_UNAVAILABLE", "the runner is stopping", 503, true, nil}
	}
	select {
	case e.slots <- struct{}{}:
	default:
		message := fmt.Sprintf("all %d slots are taken", slots)
		return nil, &failure{"RUNNER_BUSY", "RATE_LIMITED", message, 429, true, nil}
	}
	timeoutMs := int64(30_000)
	if asked.TimeoutMs != nil {
		timeoutMs = *asked.TimeoutMs
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(timeoutMs)*time.Millisecond)
	ended := make(chan outcome, 1)
	go func() {
		// What does not stop when it is told to holds its slot until it returns.
		defer func() { cancel(); <-e.slots }()
		ended <- attempt(ctx, found, asked.Payload)
	}()
	select {
	case done := <-ended:
		if done.failure == nil || ctx.Err() != context.DeadlineExceeded {
			return done.output, done.failure
		}
	case <-ctx.Done():
		// The end of the work ends the context too.
		if ctx.Err() == context.Canceled {
			done := <-ended
			return done.output, done.failure
		}
	}
	message := fmt.Sprintf("not done after %d ms", timeoutMs)
	return nil, &failure{"EXECUTION_TIMEOUT", "TIMEOUT", message, 504, true, nil}
}

type outcome struct {
	output  object
	failure *failure
}

// attempt runs the capability and catches whatever it does.
func attempt(ctx context.Context, found capability, input object) (done outcome) {
	unforeseen := func(what any) *failure {
		return &failure{"EXECUTION_FAILED", "RUNTIME_ERROR", fmt.Sprint(what), 500, true, nil}
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			done = outcome{nil, unforeseen(panicked)}
		}
	}()
	output, err := found.run(ctx, input)
	switch expected := err.(type) {
	case nil:
		return outcome{output, nil}
	case *FixtureFailure:
		return outcome{nil, &failure{expected.Code, "RUNTIME_ERROR", expected.Message, 500, expected.Retryable, nil}}
	default:
		return outcome{nil, unforeseen(err)}
	}
}
