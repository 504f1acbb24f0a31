// v1.76.0 of the module is Jaeger 2.13.0. Only a main module may replace, so `go install` of Jaeger's own packages fails.
module propagation-standin/jaeger

go 1.25.4

tool (
	github.com/jaegertracing/jaeger/cmd/jaeger
	github.com/jaegertracing/jaeger/examples/hotrod
)

require github.com/jaegertracing/jaeger v1.76.0

replace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0
