// Package emit is what emission shares among the instruction sets: the order of blocks, jumps and where they lead in the end,
// moves of the allocator's on edges, traps and slow paths out of line, the frame. An instruction set embeds [Emitter] and
// gives it what is its own as a [Machine].
package emit
