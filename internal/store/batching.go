package store

import "github.com/redis/go-redis/v9"

// maxQueued bounds what waits for a slow store: about two seconds of casts at
// the fastest rate measured. More is refused as ErrOverloaded, unsent.
const maxQueued = 16384

func batching() *redis.AutoPipelineOptions {
	return &redis.AutoPipelineOptions{
		MaxBatchSize:         300,
		MaxConcurrentBatches: 1,
		MaxQueuedCommands:    maxQueued,
	}
}
