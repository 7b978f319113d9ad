package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"os"
	"sync"
	"time"
)

// session registers, beats and deregisters.
type session struct {
	capabilities []capability
	executions   *executions
	instanceID   string
	client       *http.Client
	stopping     chan struct{}

	mutex    sync.Mutex
	runnerID string
	token    string
	interval time.Duration
}

type answer struct {
	RunnerID            string `json:"runnerId"`
	HeartbeatIntervalMs int64  `json:"heartbeatIntervalMs"`
	Known               *bool  `json:"known"`
	SessionCredential   struct {
		Token string `json:"token"`
	} `json:"sessionCredential"`
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

func newSession(capabilities []capability, e *executions) *session {
	return &session{
		capabilities: capabilities, executions: e, instanceID: newID(), stopping: make(chan struct{}),
		client: &http.Client{Timeout: 10 * time.Second}, interval: 10 * time.Second, token: os.Getenv("RUNNER_TOKEN"),
	}
}

func (s *session) id() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.runnerID
}

func (s *session) registered() bool { return s.id() != "" }

// post sends a message; ok is false where it was refused or not answered.
func (s *session) post(path string, message object) (said answer, ok bool) {
	body, _ := json.Marshal(message)
	asked, err := http.NewRequest(http.MethodPost, jobforgeURL+path, bytes.NewReader(body))
	if err != nil {
		return said, false
	}
	asked.Header.Set("content-type", "application/json")
	s.mutex.Lock()
	if s.token != "" {
		asked.Header.Set("authorization", "Bearer "+s.token)
	}
	s.mutex.Unlock()
	response, err := s.client.Do(asked)
	if err != nil {
		return said, false
	}
	defer response.Body.Close()
	if json.NewDecoder(response.Body).Decode(&said) != nil || response.StatusCode >= 300 {
		return said, false
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if said.SessionCredential.Token != "" {
		s.token = said.SessionCredential.Token
	}
	return said, true
}

func (s *session) register() bool {
	root := "http://" + address
	message := describe(s.capabilities)
	message["instanceId"] = s.instanceID
	message["healthCheckEndpoint"] = root + "/health"
	message["delivery"] = object{"kind": "push", "executeUrl": root + "/execute"}
	said, ok := s.post("/runners/register", message)
	if said.Error.Code == "CONTRACT_MISMATCH" {
		fmt.Fprintln(os.Stderr, "refused for good: CONTRACT_MISMATCH")
		os.Exit(78)
	}
	if !ok || said.RunnerID == "" {
		return false
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.runnerID = said.RunnerID
	if said.HeartbeatIntervalMs > 0 {
		s.interval = time.Duration(said.HeartbeatIntervalMs) * time.Millisecond
	}
	return true
}

func (s *session) beat() {
	said, ok := s.post("/runners/heartbeat", object{
		"runnerId": s.id(), "instanceId": s.instanceID, "timestamp": now(), "status": "healthy",
		"activeJobs": s.executions.running(),
	})
	if ok && said.Known != nil && !*said.Known {
		s.mutex.Lock()
		s.runnerID = ""
		s.mutex.Unlock()
	}
}

func (s *session) pause(duration time.Duration) bool {
	select {
	case <-time.After(duration):
		return true
	case <-s.stopping:
		return false
	}
}

func (s *session) run() {
	backoff := 250 * time.Millisecond
	for {
		if s.registered() {
			s.beat()
		} else if s.register() {
			backoff = 250 * time.Millisecond
		} else {
			if !s.pause(backoff + time.Duration(rand.Int63n(int64(backoff)/4))) {
				return
			}
			if backoff *= 2; backoff > 30*time.Second {
				backoff = 30 * time.Second
			}
			continue
		}
		// A runner that is not known any more asks again at once.
		if s.registered() && !s.pause(s.interval) {
			return
		}
	}
}

func (s *session) leave() {
	close(s.stopping)
	if id := s.id(); id != "" {
		s.post("/runners/"+id+"/deregister", object{"instanceId": s.instanceID, "reason": "SIGTERM"})
	}
}
