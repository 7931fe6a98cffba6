package contest

import (
	"net/url"
	"regexp"
	"strings"
)

// Video is where a film is kept. Nothing else of the link someone gave survives,
// so no markup, tracking or other address can ride along.
type Video struct {
	Provider Provider
	ID       string
	Hash     string // Vimeo's key of an unlisted film, or ""
}

// Provider is a site that keeps films.
type Provider string

const (
	YouTube     Provider = "youtube"
	Vimeo       Provider = "vimeo"
	Dailymotion Provider = "dailymotion"
)

// URL is the canonical page of the film, built from its id alone.
func (v Video) URL() string {
	switch v.Provider {
	case YouTube:
		return "https://www.youtube.com/watch?v=" + v.ID
	case Vimeo:
		if v.Hash != "" {
			return "https://vimeo.com/" + v.ID + "/" + v.Hash
		}
		return "https://vimeo.com/" + v.ID
	case Dailymotion:
		return "https://www.dailymotion.com/video/" + v.ID
	}
	return ""
}

// EmbedURL is the address of the provider's player, in its least tracking form.
func (v Video) EmbedURL() string {
	switch v.Provider {
	case YouTube:
		return "https://www.youtube-nocookie.com/embed/" + v.ID
	case Vimeo:
		if v.Hash != "" {
			return "https://player.vimeo.com/video/" + v.ID + "?h=" + v.Hash + "&dnt=1"
		}
		return "https://player.vimeo.com/video/" + v.ID + "?dnt=1"
	case Dailymotion:
		return "https://geo.dailymotion.com/player.html?video=" + v.ID
	}
	return ""
}

var (
	youtubeID     = regexp.MustCompile(`^[A-Za-z0-9_-]{11}$`)
	vimeoID       = regexp.MustCompile(`^[1-9][0-9]{0,14}$`)
	vimeoHash     = regexp.MustCompile(`^[0-9a-f]{6,32}$`)
	dailymotionID = regexp.MustCompile(`^[A-Za-z0-9]{5,20}$`)
)

// parseVideo reads the address of a film as people copy it from a browser or a
// share button. Only exact hosts and shapes are known; anything else is not a video.
func parseVideo(link string) (Video, bool) {
	// Checked on the raw bytes: url.Parse forgives much that a browser reads differently.
	if len(link) > 500 || strings.ContainsFunc(link, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`\"'<>%@`, r) }) {
		return Video{}, false
	}
	u, err := url.Parse(link)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Port() != "" || strings.HasSuffix(u.Host, ":") {
		return Video{}, false
	}
	path := strings.Split(strings.TrimSuffix(strings.TrimPrefix(u.Path, "/"), "/"), "/")
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Video{}, false
	}
	switch strings.ToLower(u.Host) {
	case "youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com", "youtube-nocookie.com", "www.youtube-nocookie.com":
		return youtube(path, query)
	case "youtu.be", "www.youtu.be":
		return known(YouTube, youtubeID, path, 0)
	case "vimeo.com", "www.vimeo.com":
		return vimeo(path, query)
	case "player.vimeo.com":
		if len(path) == 2 && path[0] == "video" {
			return vimeo(path[1:], query)
		}
	case "dailymotion.com", "www.dailymotion.com":
		if len(path) > 1 && path[0] == "embed" {
			path = path[1:]
		}
		if path[0] == "video" {
			return known(Dailymotion, dailymotionID, path, 1)
		}
	case "geo.dailymotion.com":
		if len(path) == 1 && path[0] == "player.html" && len(query["video"]) == 1 {
			return known(Dailymotion, dailymotionID, query["video"], 0)
		}
	case "dai.ly", "www.dai.ly":
		return known(Dailymotion, dailymotionID, path, 0)
	}
	return Video{}, false
}

func youtube(path []string, query url.Values) (Video, bool) {
	switch path[0] {
	case "watch":
		// Two v members: which one plays is the site's whim, so it is not one film.
		if len(path) == 1 && len(query["v"]) == 1 {
			return known(YouTube, youtubeID, query["v"], 0)
		}
	case "shorts", "embed", "live", "v":
		if len(path) == 2 && path[1] != "videoseries" && path[1] != "live_stream" {
			return known(YouTube, youtubeID, path, 1)
		}
	}
	return Video{}, false
}

func vimeo(path []string, query url.Values) (Video, bool) {
	if !vimeoID.MatchString(path[0]) || len(path) > 2 || len(query["h"]) > 1 {
		return Video{}, false
	}
	hash := query.Get("h")
	if len(path) == 2 {
		hash = path[1]
	}
	if hash != "" && !vimeoHash.MatchString(hash) {
		return Video{}, false
	}
	return Video{Provider: Vimeo, ID: path[0], Hash: hash}, true
}

// known accepts a path whose last part, at index i, is an id of the provider's shape.
func known(p Provider, shape *regexp.Regexp, parts []string, i int) (Video, bool) {
	if len(parts) != i+1 || !shape.MatchString(parts[i]) {
		return Video{}, false
	}
	return Video{Provider: p, ID: parts[i]}, true
}
