package web

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/joute/joute/antifraud"
	"github.com/joute/joute/contest/registry"
	"github.com/joute/joute/voting"
)

// maxAgent: user agents longer than this differ in nothing that helps.
const maxAgent = 1024

// attempt is what the server saw of the request. It lives as long as this
// request: only its Evidence, keyed, is ever kept.
func (s *Server) attempt(c *fiber.Ctx, stored *registry.Stored, entry string, pass voting.Pass, client antifraud.Client) antifraud.Attempt {
	agent, from := string(c.Request().Header.UserAgent()), s.address(c)
	network := s.network(stored, from)
	return antifraud.Attempt{
		At: time.Now(), Level: string(pass.Level), Address: from, UserAgent: agent[:min(len(agent), maxAgent)],
		NetKind: network.Kind, ASN: network.ASN, Issued: pass.Issued,
		Client: client, Profile: pass.Profile, Present: pass.Present, School: ofSchool(stored, entry, pass.School),
	}
}

// ofSchool tells whether an entry is of a school that a pass proves, if it does.
func ofSchool(stored *registry.Stored, entry, school string) bool {
	if school == "" {
		return false
	}
	e, _ := stored.Contest.Entry(entry)
	return e.School == school
}
