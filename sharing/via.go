package sharing

import "strings"

// Channel is how a link is given out.
type Channel string

// The channels there are. Link is the bare link, of which nobody knows how it
// was given out.
const (
	Link     Channel = "link"
	Native   Channel = "native" // the device's own share menu
	WhatsApp Channel = "whatsapp"
	Copy     Channel = "copy"
	QR       Channel = "qr"
	Story    Channel = "story"
	Poster   Channel = "poster"
	Message  Channel = "message" // a text ready to paste
	Mail     Channel = "mail"
	Wall     Channel = "wall"
)

// Channels are all of them, in the order they are listed in.
var Channels = []Channel{Link, Native, WhatsApp, Copy, QR, Story, Poster, Message, Mail, Wall}

// letters are the channels in links. They are in links that were printed: none
// is ever given to another channel. The bare link has none.
var letters = [...]byte{0, 'n', 'w', 'c', 'q', 's', 'p', 'm', 'e', 't'}

// ParseChannel reads a channel's name.
func ParseChannel(name string) (Channel, bool) {
	c := Channel(name)
	return c, c.index() >= 0
}

func (c Channel) index() int {
	for i, known := range Channels {
		if c == known {
			return i
		}
	}
	return -1
}

// Via is a link: whose, and given out how.
type Via struct {
	Code    Code
	Channel Channel
}

// String is CODE, or CODE-w with the channel's letter. It fits `client.via` of
// the contract.
func (v Via) String() string {
	if i := v.Channel.index(); i > 0 {
		return v.Code.String() + "-" + string(letters[i])
	}
	return v.Code.String()
}

// ParseVia reads the text form back. One link has one spelling; any other text
// is [ErrVia].
func ParseVia(text string) (Via, error) {
	head, letter, lettered := strings.Cut(text, "-")
	code, err := ParseCode(head)
	if err != nil {
		return Via{}, err
	}
	if !lettered {
		return Via{code, Link}, nil
	}
	for i := 1; i < len(letters); i++ {
		if letter == string(letters[i]) {
			return Via{code, Channels[i]}, nil
		}
	}
	return Via{}, ErrVia
}
