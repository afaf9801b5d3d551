package regalloc
import ("testing";"fmt")
func TestDbg(t *testing.T){
 if *seedFlag==0 {t.Skip("no seed")}
 f,file:=randomCase(*seedFlag)
 fmt.Println(file.Alloc)
 for bi:=range f.Blocks { b:=&f.Blocks[bi]
  fmt.Println("block",bi,f.Params[b.ParamStart:b.ParamEnd],"idom",int32(b.Idom),"loop",int32(b.LoopHeader),"depth",b.Depth,"cold",b.Cold)
  for i:=b.Start;i<b.End;i++{ in:=f.Insts[i]; fmt.Println("  ",i,f.Ops[in.OpStart:in.OpEnd],in.Clobbers,in.Move)}
  for e:=b.SuccStart;e<b.SuccEnd;e++{ed:=f.Edges[e];fmt.Println("   edge",e,"->",ed.To,f.EdgeArgs[ed.ArgStart:ed.ArgEnd])}
 }
 var a Allocator; var r Result
 err:=a.Run(f,file,&r)
 fmt.Println(err)
 for _,l:=range r.Before {fmt.Println("before",l.At,r.Moves[l.Start:l.End])}
 for _,l:=range r.OnEdge {fmt.Println("edge",l.At,r.Moves[l.Start:l.End])}
}
