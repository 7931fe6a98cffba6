package contest

import (
	"regexp"
	"strings"
)

// A colour is written into style sheets, so only two closed forms are read:
// hexadecimal and the names of CSS Color 4. rgb(), hsl() and var() would need a
// parser of their own to be safe, and any colour of theirs has a hexadecimal form.
var hexColour = regexp.MustCompile(`^#([0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8})$`)

func colour(v value) string {
	s := strings.ToLower(v.text)
	if v.kind != kindString || !hexColour.MatchString(s) && !namedColours[s] {
		v.expected("a CSS colour such as #0b7a75 (in quotes) or teal")
		return ""
	}
	return s
}

var namedColours = func() map[string]bool {
	names := make(map[string]bool)
	for name := range strings.FieldsSeq(`
		aliceblue antiquewhite aqua aquamarine azure beige bisque black blanchedalmond blue blueviolet brown
		burlywood cadetblue chartreuse chocolate coral cornflowerblue cornsilk crimson cyan darkblue darkcyan
		darkgoldenrod darkgray darkgreen darkgrey darkkhaki darkmagenta darkolivegreen darkorange darkorchid
		darkred darksalmon darkseagreen darkslateblue darkslategray darkslategrey darkturquoise darkviolet
		deeppink deepskyblue dimgray dimgrey dodgerblue firebrick floralwhite forestgreen fuchsia gainsboro
		ghostwhite gold goldenrod gray green greenyellow grey honeydew hotpink indianred indigo ivory khaki
		lavender lavenderblush lawngreen lemonchiffon lightblue lightcoral lightcyan lightgoldenrodyellow
		lightgray lightgreen lightgrey lightpink lightsalmon lightseagreen lightskyblue lightslategray
		lightslategrey lightsteelblue lightyellow lime limegreen linen magenta maroon mediumaquamarine
		mediumblue mediumorchid mediumpurple mediumseagreen mediumslateblue mediumspringgreen mediumturquoise
		mediumvioletred midnightblue mintcream mistyrose moccasin navajowhite navy oldlace olive olivedrab
		orange orangered orchid palegoldenrod palegreen paleturquoise palevioletred papayawhip peachpuff peru
		pink plum powderblue purple rebeccapurple red rosybrown royalblue saddlebrown salmon sandybrown
		seagreen seashell sienna silver skyblue slateblue slategray slategrey snow springgreen steelblue tan
		teal thistle tomato turquoise violet wheat white whitesmoke yellow yellowgreen`) {
		names[name] = true
	}
	return names
}()
