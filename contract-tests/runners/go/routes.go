package main

import (
	"encoding/json"
	"io"
	"net/http"
	"time"
)

func reply(response http.ResponseWriter, status int, body object) {
	response.Header().Set("content-type", "application/json")
	response.WriteHeader(status)
	encoder := json.NewEncoder(response)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body)
}

func refuse(response http.ResponseWriter, why *failure) {
	reply(response, why.status, object{"success": false, "error": why.envelope()})
}

func health(response http.ResponseWriter, _ *http.Request) {
	reply(response, 200, object{
		"service": name, "status": "healthy", "timestamp": now(), "version": version,
		"uptime": time.Since(started).Seconds(), "checks": []object{},
	})
}

func probe(response http.ResponseWriter, ok bool) {
	if ok {
		reply(response, 200, object{"ok": true, "reasons": []string{}})
		return
	}
	reply(response, 503, object{"ok": false, "reasons": []string{"not registered, or stopping"}})
}

func execute(e *executions) http.HandlerFunc {
	return func(response http.ResponseWriter, asked *http.Request) {
		if asked.Method != http.MethodPost {
			response.Header().Set("allow", "POST")
			refuse(response, &failure{"METHOD_NOT_ALLOWED", "VALIDATION_ERROR", "use POST", 405, false, nil})
			return
		}
		began := time.Now()
		body, err := io.ReadAll(io.LimitReader(asked.Body, maxBodyBytes+1))
		if err != nil {
			return
		}
		if len(body) > maxBodyBytes {
			// Read and dropped, so that the sender sees the refusal and not a broken connection.
			_, _ = io.Copy(io.Discard, asked.Body)
			refuse(response, &failure{"PAYLOAD_TOO_LARGE", "VALIDATION_ERROR", "more than 4 MB", 413, false, nil})
			return
		}
		parsed, refused := readRequest(body)
		if refused != nil {
			refuse(response, refused)
			return
		}
		output, failed := e.run(parsed)
		answer := object{"jobId": parsed.JobID, "success": failed == nil, "executionTimeMs": time.Since(began).Milliseconds()}
		if failed != nil {
			answer["error"] = failed.envelope()
			reply(response, failed.status, answer)
			return
		}
		answer["data"] = output
		reply(response, 200, answer)
	}
}

func routes(capabilities []capability, e *executions, s *session) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/health", health)
	mux.HandleFunc("/livez", func(response http.ResponseWriter, _ *http.Request) { probe(response, true) })
	mux.HandleFunc("/readyz", func(response http.ResponseWriter, _ *http.Request) {
		probe(response, s.registered() && !e.draining.Load())
	})
	mux.HandleFunc("/manifest", func(response http.ResponseWriter, _ *http.Request) {
		reply(response, 200, describe(capabilities))
	})
	mux.HandleFunc("/execute", execute(e))
	mux.HandleFunc("/", func(response http.ResponseWriter, asked *http.Request) {
		message := "nothing is served at " + asked.URL.Path
		refuse(response, &failure{"ROUTE_NOT_FOUND", "RESOURCE_NOT_FOUND", message, 404, false, nil})
	})
	return mux
}
