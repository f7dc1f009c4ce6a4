package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func worker(n int, in <-chan int, out chan<- int) {
	for v := range in {
		s := 0
		for i := 0; i < 20000; i++ {
			s += (v*i + n) % 7
		}
		out <- v * v
	}
}

func main() {
	in, out := make(chan int, 8), make(chan int, 8)
	for i := 0; i < 16; i++ {
		go worker(i, in, out)
	}
	go func() {
		for i := 0; i < 1000; i++ {
			in <- i
		}
		close(in)
	}()
	sum := 0
	for i := 0; i < 1000; i++ {
		sum += <-out
	}
	fmt.Println("sum", sum)

	// signals race with goroutines that allocate, and with the collector
	ch := make(chan os.Signal, 1000)
	signal.Notify(ch, syscall.SIGUSR1)
	var stop, got int32
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for atomic.LoadInt32(&stop) == 0 {
				_ = make([]byte, 1<<12)
				runtime.Gosched()
			}
		}()
	}
	for i := 0; i < 200; i++ {
		syscall.Kill(os.Getpid(), syscall.SIGUSR1)
		if i%50 == 0 {
			runtime.GC()
		}
		select {
		case <-ch:
			got++
		case <-time.After(20 * time.Second):
			fmt.Println("signal lost", i)
			os.Exit(1)
		}
	}
	atomic.StoreInt32(&stop, 1)
	wg.Wait()
	fmt.Println("signals", got)

	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		var p *int
		fmt.Println(*p)
	}()
	// a goroutine that never yields: preempted by a signal
	go func() {
		for {
		}
	}()
	time.Sleep(10 * time.Millisecond)
	runtime.GC()
	fmt.Println("done")
}
