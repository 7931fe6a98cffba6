//go:build !linux

package main

func wakeLate() {}
