module goexec

go 1.21
