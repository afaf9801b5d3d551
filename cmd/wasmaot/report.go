package main

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// text is for people: tables, or for what there is one of, a column of facts.
func (r report) text() string {
	var b strings.Builder
	for _, p := range r {
		if len(p.rows) == 0 {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s\n", p.name)
		if p.upright {
			for i, c := range p.columns {
				fmt.Fprintf(&b, "  %-18s  %v\n", c, printable(p.rows[0][i]))
			}
			continue
		}
		widths := make([]int, len(p.columns))
		lines := [][]any{make([]any, len(p.columns))}
		for i, c := range p.columns {
			lines[0][i] = c
		}
		lines = append(lines, p.rows...)
		for _, row := range lines {
			for i, c := range row {
				widths[i] = max(widths[i], utf8.RuneCountInString(printable(c)))
			}
		}
		for _, row := range lines {
			line := " "
			for i, c := range row {
				line += fmt.Sprintf(" %-*s ", widths[i], printable(c))
			}
			fmt.Fprintln(&b, strings.TrimRight(line, " "))
		}
	}
	return b.String()
}

// printable keeps what a guest named from playing with the terminal.
func printable(cell any) string {
	s := fmt.Sprint(cell)
	if q := strconv.Quote(s); q != `"`+s+`"` {
		return q
	}
	return s
}

// json is for programs: an object of arrays of objects. Package encoding/json would be initialised by every run.
func (r report) json() string {
	var b strings.Builder
	b.WriteString("{")
	for i, p := range r {
		fmt.Fprintf(&b, "%s\n  %s: [", comma(i), jsonString(p.name))
		for j, row := range p.rows {
			fmt.Fprintf(&b, "%s\n    {", comma(j))
			for k, c := range row {
				value := fmt.Sprint(c)
				if s, ok := c.(string); ok {
					value = jsonString(s)
				}
				fmt.Fprintf(&b, "%s%s: %s", strings.Repeat(", ", min(k, 1)), jsonString(p.columns[k]), value)
			}
			b.WriteString("}")
		}
		b.WriteString("]")
	}
	b.WriteString("\n}")
	return b.String()
}

func comma(i int) string {
	if i > 0 {
		return ","
	}
	return ""
}

// jsonString quotes as RFC 8259, section 7, asks for.
func jsonString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
