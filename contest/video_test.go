package contest

import "testing"

func TestParseVideo(t *testing.T) {
	const id = "AAAAAAAAAA1"
	yt, vm, dm := Video{YouTube, id, ""}, Video{Vimeo, "76979871", ""}, Video{Dailymotion, "x8abcd1", ""}
	unlisted := Video{Vimeo, "76979871", "0123abcdef"}
	for link, want := range map[string]Video{
		"https://www.youtube.com/watch?v=" + id:                        yt,
		"http://www.youtube.com/watch?v=" + id:                         yt,
		"https://youtube.com/watch?v=" + id:                            yt,
		"https://m.youtube.com/watch?v=" + id:                          yt,
		"https://music.youtube.com/watch?v=" + id:                      yt,
		"https://WWW.YouTube.com/watch?v=" + id:                        yt,
		"HTTPS://www.youtube.com/watch?v=" + id:                        yt,
		"https://www.youtube.com/watch?v=" + id + "&t=42s&list=PL1":    yt,
		"https://www.youtube.com/watch?feature=share&v=" + id:          yt,
		"https://www.youtube.com/watch/?v=" + id:                       yt,
		"https://www.youtube.com/watch?v=" + id + "#t=3":               yt,
		"https://youtu.be/" + id:                                       yt,
		"https://youtu.be/" + id + "?si=abc&t=3":                       yt,
		"https://youtu.be/" + id + "/":                                 yt,
		"https://www.youtube.com/shorts/" + id:                         yt,
		"https://youtube.com/shorts/" + id + "?feature=share":          yt,
		"https://www.youtube.com/embed/" + id:                          yt,
		"https://www.youtube.com/live/" + id + "?si=x":                 yt,
		"https://www.youtube.com/v/" + id:                              yt,
		"https://www.youtube-nocookie.com/embed/" + id:                 yt,
		"https://www.youtube.com/watch?v=a-b_c-d_e-f":                  {YouTube, "a-b_c-d_e-f", ""},
		"https://vimeo.com/76979871":                                   vm,
		"https://www.vimeo.com/76979871":                               vm,
		"https://vimeo.com/76979871?share=copy":                        vm,
		"https://vimeo.com/76979871/":                                  vm,
		"https://player.vimeo.com/video/76979871":                      vm,
		"https://player.vimeo.com/video/76979871?autoplay=1":           vm,
		"https://player.vimeo.com/video/76979871?h=0123abcdef&badge=0": unlisted,
		"https://vimeo.com/76979871/0123abcdef":                        unlisted,
		"https://vimeo.com/76979871/0123abcdef?share=copy":             unlisted,
		"https://vimeo.com/76979871?h=0123abcdef":                      unlisted,
		"https://www.dailymotion.com/video/x8abcd1":                    dm,
		"https://dailymotion.com/video/x8abcd1":                        dm,
		"https://www.dailymotion.com/video/x8abcd1?playlist=x1":        dm,
		"https://www.dailymotion.com/embed/video/x8abcd1":              dm,
		"https://geo.dailymotion.com/player.html?video=x8abcd1":        dm,
		"https://dai.ly/x8abcd1":                                       dm,
	} {
		got, ok := parseVideo(link)
		if !ok || got != want {
			t.Errorf("%s: got %+v %v, expected %+v", link, got, ok, want)
		}
		if again, ok := parseVideo(got.URL()); !ok || again != got {
			t.Errorf("%s: its canonical address %s is read as %+v", link, got.URL(), again)
		}
		if got.EmbedURL() == "" {
			t.Errorf("%s: no player", link)
		}
	}
}

func TestParseVideo_EverythingElseIsRefused(t *testing.T) {
	const id = "AAAAAAAAAA1"
	for _, link := range []string{
		"", " ", "x", id, "https://", "//www.youtube.com/watch?v=" + id, "www.youtube.com/watch?v=" + id,
		"ftp://www.youtube.com/watch?v=" + id, "javascript:alert(1)", "JaVaScRiPt:alert(1)//youtu.be/" + id,
		"data:text/html,https://youtu.be/" + id, "file:///etc/passwd", "vbscript:x",
		"https:youtu.be/" + id, "https:/youtu.be/" + id, "https:///youtu.be/" + id,
		" https://youtu.be/" + id, "https://youtu.be/" + id + "\n", "https://youtu.be/\t" + id,
		"https://youtu.be/" + id + "\x00", "https://youtu.be/" + id + "é", "https://youtu.be\\@evil.example/" + id,
		"https://youtu.be/" + id + `"onload="alert(1)`, "https://youtu.be/" + id + "'x", "https://youtu.be/<script>",
		"https://youtu.be/" + id + "><img src=x>", "https://youtu.be@evil.example/" + id, "https://a:b@youtu.be/" + id,
		"https://youtu.be:443/" + id, "https://youtu.be:/" + id, "https://youtu.be:8080/" + id, "https://youtu.be./" + id,
		"https://youtu.be.evil.example/" + id, "https://evil.example/youtu.be/" + id, "https://evilyoutu.be/" + id,
		"https://evil.example/?u=https://youtu.be/" + id, "https://evil.example#https://youtu.be/" + id,
		"https://xyoutube.com/watch?v=" + id, "https://youtube.com.evil.example/watch?v=" + id,
		"https://youtube.evil.example/watch?v=" + id, "https://www.yоutube.com/watch?v=" + id, // a Cyrillic о
		"https://xn--yutube-jye.com/watch?v=" + id, "https://[::1]/watch?v=" + id, "https://127.0.0.1/watch?v=" + id,
		"https://www.youtube.com/", "https://www.youtube.com/watch", "https://www.youtube.com/watch?v=",
		"https://www.youtube.com/watch?v=short", "https://www.youtube.com/watch?v=" + id + "x",
		"https://www.youtube.com/watch?v=AAAAAAAAA%0A1", "https://www.youtube.com/watch?v=AAAAAAAAA%001",
		"https://www.youtube.com/watch?v=" + id + "&v=BBBBBBBBBB2", "https://www.youtube.com/watch?V=" + id,
		"https://www.youtube.com/watch?list=" + id, "https://www.youtube.com/Watch?v=" + id,
		"https://www.youtube.com/watch/" + id, "https://www.youtube.com/watch?a;v=" + id,
		"https://www.youtube.com/redirect?q=https://evil.example", "https://www.youtube.com/@someone",
		"https://www.youtube.com/playlist?list=PL1", "https://www.youtube.com/embed/videoseries",
		"https://www.youtube.com/embed/live_stream", "https://www.youtube.com/embed/" + id + "/x",
		"https://www.youtube.com/embed/../" + id, "https://www.youtube.com//embed/" + id,
		"https://www.youtube.com/oembed?url=x", "https://youtu.be/", "https://youtu.be/" + id + "/x",
		"https://youtu.be//" + id, "https://youtu.be/..%2f" + id, "https://youtu.be/AAAAAAAAA%41",
		"https://vimeo.com/", "https://vimeo.com/0", "https://vimeo.com/012", "https://vimeo.com/12x", "https://vimeo.com/-1",
		"https://vimeo.com/1234567890123456", "https://vimeo.com/76979871/x/y", "https://vimeo.com/76979871/settings",
		"https://vimeo.com/76979871?h=xyz", "https://vimeo.com/76979871?h=0123abcdef&h=1", "https://vimeo.com/user/76979871",
		"https://vimeo.com/channels/staffpicks/76979871", "https://player.vimeo.com/76979871",
		"https://player.vimeo.com/video/", "https://player.vimeo.com/video/76979871/config", "https://vimeopro.com/76979871",
		"https://www.dailymotion.com/video/", "https://www.dailymotion.com/video/x8_abcd", "https://www.dailymotion.com/x8abcd1",
		"https://www.dailymotion.com/video/x8abcd1/extra", "https://www.dailymotion.com/embed", "https://www.dailymotion.com/embed/x8abcd1",
		"https://www.dailymotion.com/playlist/x8abcd1", "https://dai.ly/", "https://dai.ly/x8abcd1/a", "https://dai.ly/x",
		"https://geo.dailymotion.com/player.html", "https://geo.dailymotion.com/player.html?video=x8abcd1&video=x8abcd2",
		"https://geo.dailymotion.com/player/abc.html?video=x8abcd1", "https://www.tiktok.com/@a/video/1",
		"https://youtu.be/" + id + "?" + string(make([]byte, 600)),
	} {
		if v, ok := parseVideo(link); ok {
			t.Errorf("%q was read as %+v", link, v)
		}
	}
}

// A link that is a video leads to one of the players we know, whatever else it says.
func FuzzParseVideo(f *testing.F) {
	for _, seed := range []string{"https://youtu.be/AAAAAAAAAA1?t=1m2s", "https://www.youtube.com/watch?v=AAAAAAAAAA1&list=x", "https://vimeo.com/100000001/abcdef", "https://player.vimeo.com/video/1?h=abcdef", "https://www.dailymotion.com/video/x8abcde", "javascript:alert(1)"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, link string) {
		video, ok := parseVideo(link)
		if ok {
			if again, still := parseVideo(video.URL()); !still || again != video {
				t.Fatalf("%q is %v, whose own address is %v", link, video, again)
			}
		}
		if !ok && video != (Video{}) {
			t.Fatalf("%q is no video, and %v", link, video)
		}
	})
}
