package main

import (
	"fmt"
	"html"
	"math"
	"slices"
	"strings"
)

// Sizes of the plot, in pixels.
const (
	plotWidth   = 1200
	plotLeft    = 100
	panelHeight = 240
	panelHead   = 50  // title
	panelFoot   = 100 // slanted labels
	legendSpace = 40
)

// colours tell the engines apart, also without colour vision (Okabe and Ito's palette).
var colours = map[string]string{"native": "#666666", "wasmaot": "#0072b2", "wazero": "#e69f00", "wasmtime": "#009e73", "V8": "#cc79a7"}

// A panel is a group of bars for each label on a logarithmic axis.
type panel struct {
	title  string
	labels []string
	bars   []map[string]float64 // by engine, for each label; what is 0 or missing has no bar
	base   float64              // where bars start; 0: the axis' lowest value
}

// SVG draws the programs' ratios to native code, and the cost of compilation.
func (r *Report) SVG() string {
	panels := r.panels()
	var b strings.Builder
	height := legendSpace + len(panels)*(panelHead+panelHeight+panelFoot)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", plotWidth, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="white"/>`+"\n", plotWidth, height)
	engines := slices.DeleteFunc(slices.Clone(r.Engines), func(e string) bool { return e == "native" })
	for i, e := range engines {
		fmt.Fprintf(&b, `<rect x="%d" y="14" width="14" height="14" fill="%s"/><text x="%d" y="26">%s</text>`+"\n",
			plotLeft+i*190, colours[e], plotLeft+i*190+20, html.EscapeString(e+" ("+r.Versions[e]+")"))
	}
	for i, p := range panels {
		p.draw(&b, engines, legendSpace+i*(panelHead+panelHeight+panelFoot)+panelHead)
	}
	b.WriteString("</svg>\n")
	return b.String()
}

func (r *Report) panels() []panel {
	var panels []panel
	for _, t := range r.Tables {
		title, _, _ := strings.Cut(t.Title, " (")
		p := panel{title: title + " (less is better)", base: 1}
		for _, result := range t.Programs {
			bars := map[string]float64{}
			for _, e := range r.Engines {
				bars[e] = result.ratio(e)
			}
			p.labels, p.bars = append(p.labels, result.Name), append(p.bars, bars)
		}
		panels = append(panels, p)
	}
	if len(r.Compile) == 0 {
		return panels
	}
	speed := panel{title: "Compilation: seconds of CPU time for each MB of the module, and peak memory as a multiple of the module (less is better)"}
	for _, quantity := range []struct {
		name  string
		value func(CompileResult) float64
	}{
		{"s/MB", func(c CompileResult) float64 { return c.perMB().Seconds() }},
		{"memory", func(c CompileResult) float64 { return float64(c.Memory) / float64(max(c.Module, 1)) }},
	} {
		for _, c := range r.Compile {
			if c.CPU1 == 0 {
				continue // does not compile the whole module
			}
			label := fmt.Sprintf("%s, %s", c.Guest, quantity.name)
			if !slices.Contains(speed.labels, label) {
				speed.labels, speed.bars = append(speed.labels, label), append(speed.bars, map[string]float64{})
			}
			speed.bars[len(speed.bars)-1][c.Engine] = quantity.value(c)
		}
	}
	return append(panels, speed)
}

// bounds gives the powers of two (exponents) between which all bars lie.
func (p *panel) bounds() (low, high int) {
	least, most := math.Inf(1), math.Inf(-1)
	for _, bars := range p.bars {
		for _, v := range bars {
			if v > 0 {
				least, most = min(least, v), max(most, v)
			}
		}
	}
	if least > most {
		return 0, 1
	}
	low, high = int(math.Floor(math.Log2(least))), int(math.Ceil(math.Log2(most)))
	return low, max(high, low+1)
}

func (p *panel) draw(b *strings.Builder, engines []string, top int) {
	low, high := p.bounds()
	y := func(v float64) float64 {
		return float64(top) + panelHeight*(float64(high)-math.Log2(v))/float64(high-low)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="15">%s</text>`+"\n", plotLeft, top-14, html.EscapeString(p.title))
	for exp := low; exp <= high; exp++ {
		v := math.Exp2(float64(exp))
		colour := "#dddddd"
		if v == p.base {
			colour = "#000000"
		}
		fmt.Fprintf(b, `<line x1="%d" x2="%d" y1="%.1f" y2="%.1[3]f" stroke="%s"/><text x="%d" y="%.1f" text-anchor="end">%.3g</text>`+"\n",
			plotLeft, plotWidth-10, y(v), colour, plotLeft-6, y(v)+4, v)
	}
	group := float64(plotWidth-10-plotLeft) / float64(len(p.labels))
	width := min(0.8*group/float64(len(engines)), 24)
	base := p.base
	if base == 0 {
		base = math.Exp2(float64(low))
	}
	for i, label := range p.labels {
		centre := plotLeft + (float64(i)+0.5)*group
		for j, e := range engines {
			v := p.bars[i][e]
			if v <= 0 {
				continue
			}
			x := centre + (float64(j)-float64(len(engines))/2)*width
			from, to := y(max(v, base)), y(min(v, base))
			fmt.Fprintf(b, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s, %s: %.3g</title></rect>`+"\n",
				x, from, width, max(to-from, 1), colours[e], html.EscapeString(label), html.EscapeString(e), v)
		}
		fmt.Fprintf(b, `<text transform="translate(%.1f %d) rotate(-35)" text-anchor="end">%s</text>`+"\n", centre+4, top+panelHeight+14, html.EscapeString(label))
	}
}
