package store

import (
	"strconv"
	"strings"
)

// slots is how many parts a Redis Cluster spreads its keys over.
const slots = 16384

// slotOf is the slot of a key: of what is between its first braces, where there
// is something, else of all of it.
func slotOf(key string) int {
	if _, rest, found := strings.Cut(key, "{"); found {
		if tag, _, closed := strings.Cut(rest, "}"); closed && tag != "" {
			key = tag
		}
	}
	var crc uint16 // CRC-16/XMODEM, as the cluster's specification says
	for i := range len(key) {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^key[i]]
	}
	return int(crc) % slots
}

var crcTable = func() (table [256]uint16) {
	for i := range table {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
		table[i] = crc
	}
	return table
}()

const confirmPrefix, confirmSuffix = prefix + "{", "}:confirmed"

// isConfirmKey tells the keys of confirmKey from all others: no contest's id has
// digits alone.
func isConfirmKey(key string) bool {
	rest, begins := strings.CutPrefix(key, confirmPrefix)
	tag, ends := strings.CutSuffix(rest, confirmSuffix)
	_, err := strconv.ParseUint(tag, 10, 32)
	return begins && ends && err == nil
}

// confirmKey is a key of ours in a slot: the smallest number that falls there, in
// braces. Any slot has one among the first few hundred thousand.
func confirmKey(slot int) string {
	for n := 0; ; n++ {
		if tag := strconv.Itoa(n); slotOf(tag) == slot {
			return confirmPrefix + tag + confirmSuffix
		}
	}
}
