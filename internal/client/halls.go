package client

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// Hall is the address of a wall that shows the presence code.
type Hall struct {
	URL     string    `json:"url"`
	Expires time.Time `json:"expires"`
}

// OpenHall asks for the address of a wall that shows the presence code for so
// long. Each call makes another one; the earlier ones stay good.
func (c *Client) OpenHall(ctx context.Context, contest string, life time.Duration) (Hall, error) {
	body, err := json.Marshal(map[string]string{"for": life.String()})
	if err != nil {
		return Hall{}, err
	}
	var hall Hall
	_, err = c.call(ctx, http.MethodPost, c.contestURL(contest, "halls"), body, &hall)
	return hall, err
}
